"""Audits of the tables that WeightWatcher 0.7.7 wrote of the networks of tests/networks.py."""

import json
from pathlib import Path
from typing import Any

import pytest
from audit_tables import audited, opened, to_csv, verdicts, written

from htsr_ref.audits.audit_report import AuditReport
from htsr_ref.conventions import CONVENTIONS

FIXTURE = Path(__file__).parents[1] / "peers" / "fixtures" / "weightwatcher-0.7.7.json"
TABLES = json.loads(FIXTURE.read_text(encoding="utf-8"))["networks"]
WW = CONVENTIONS["weightwatcher-0.7.7"]


def details(network: str) -> list[dict[str, Any]]:
    """The table as its CSV has it: NaN and None are empty cells."""
    rows = [{"name": name, **row} for name, row in TABLES[network]["details"].items()]
    return [{k: "" if v in (None, "nan") else v for k, v in row.items()} for row in rows]


def audit_of(network: str, folder: Path) -> AuditReport:
    return audited(opened(network), written(folder, to_csv(details(network))), WW)


def faults(found: AuditReport) -> dict[str, set[tuple[str, str]]]:
    """Layers and columns by fault."""
    listed: dict[str, set[tuple[str, str]]] = {}
    for layer in found.layers:
        for row in layer.rows:
            for cell in row.cells:
                if cell.fault is not None:
                    listed.setdefault(cell.fault, set()).add((layer.name, cell.column))
    return listed


@pytest.mark.spec("AUD-2", "AUD-4", "AUD-7")
@pytest.mark.parametrize("network", ["mlp", "transformer", "embedding", "few eigenvalues"])
def test_plain_networks_are_reproduced(tmp_path, network):
    found = audit_of(network, tmp_path)
    assert verdicts(found) == {"reproduced": 24 * len(TABLES[network]["details"])}
    assert found.digits >= 13
    assert [layer.name for layer in found.layers] == list(TABLES[network]["details"])
    assert None not in {layer.matched_by for layer in found.layers}
    # WeightWatcher analyzes no layer with fewer than eight eigenvalues.
    alone = {layer.name: layer.reason for layer in found.layers_alone}
    assert list(alone) == (["fc7"] if network == "few eigenvalues" else [])
    assert all("min_eigenvalues = 8" in str(reason) for reason in alone.values())


@pytest.mark.spec("AUD-8")
def test_the_faults_of_convolutions_are_named(tmp_path):
    found = audit_of("convnet", tmp_path)
    assert set(verdicts(found)) == {"known fault", "reproduced"}
    several = ["conv3x3", "conv5x5", "narrowing2x2", "grouped", "depthwise", "first"]
    assert faults(found) == {
        "F-WW-16": {("narrowing2x2", column) for column in ("N", "M", "Q")},
        "F-WW-17": {(layer, "sv_min") for layer in several},
    }


@pytest.mark.spec("AUD-8")
def test_the_faults_of_degenerate_layers_are_named(tmp_path):
    found = audit_of("degenerate", tmp_path)
    assert set(verdicts(found)) == {"known fault", "reproduced"}
    listed = faults(found)
    fit = {"alpha", "xmin", "D", "sigma", "num_pl_spikes", "alpha_weighted", "log_alpha_norm"}
    assert listed["F-WW-2"] == {
        ("zero", column)
        for column in ("log_norm", "log_spectral_norm", "alpha_weighted", "log_alpha_norm")
    }
    assert listed["F-WW-4"] == {("identity", column) for column in fit | {"xmax"}}
    assert listed["F-WW-5"] == {("rank2", "sigma")}
    assert listed["F-WW-15"] == {("rank2", "matrix_rank"), ("rank2", "rank_loss")}
    floor = {layer for layer, _ in listed["F-WW-6"]}
    assert floor == {"rank2", "ten above the floor", "tiny"}
    assert set(listed) == {"F-WW-2", "F-WW-4", "F-WW-5", "F-WW-6", "F-WW-15"}


@pytest.mark.spec("AUD-12", "AUD-13")
@pytest.mark.parametrize("network", ["mlp", "convnet"])
def test_an_unknown_table_of_it_is_recognized(tmp_path, network):
    found = audited(opened(network), written(tmp_path, to_csv(details(network))), None)
    assert found.explanation.base == "weightwatcher-0.7.7"
    assert (found.explanation.changes, found.ties) == ({}, ())


@pytest.mark.spec("AUD-10", "AUD-11")
def test_why_its_alphas_differ_from_the_papers(tmp_path):
    found = audit_of("mlp", tmp_path)
    names = [", ".join(change) for change in found.path]
    fc3 = found.layers[2].paths
    steps = dict(zip(names, fc3["alpha"].contributions, strict=True))
    # 10 of 10 eigenvalues are fitted either way: (n-1) for n in the numerator is a tenth of α-1.
    assert fc3["alpha"].theirs == TABLES["mlp"]["details"]["fc3"]["alpha"]
    assert steps["small_samples"] == pytest.approx(-(fc3["alpha"].theirs - 1) / 9, rel=1e-9)
    # Neither has a factor for dense layers.
    lambdas = fc3["lambda_max"]
    assert lambdas.start == pytest.approx(lambdas.theirs, rel=1e-12)
    by_name = dict(zip(names, lambdas.contributions, strict=True))
    assert by_name["normalization"] == 0.0


@pytest.mark.spec("AUD-3", "AUD-7")
def test_printed_digits_are_enough(tmp_path):
    rows = details("mlp")
    short = [{**row, "alpha": f"{row['alpha']:.3f}", "D": f"{row['D']:.2e}"} for row in rows]
    found = audited(opened("mlp"), written(tmp_path, to_csv(short)), WW)
    assert verdicts(found) == {"reproduced": 72}
    wrong = [{**row, "alpha": f"{row['alpha'] + 0.002:.3f}"} for row in rows]
    found = audited(opened("mlp"), written(tmp_path, to_csv(wrong)), WW, most=0)
    assert verdicts(found) == {"reproduced": 69, "unexplained": 3}
