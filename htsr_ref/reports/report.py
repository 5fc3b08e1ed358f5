"""The report: frozen dataclasses, which other modules read and write. Computes nothing."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from htsr_ref.conventions import Convention
from htsr_ref.errors import HtsrError
from htsr_ref.metrics import Line
from htsr_ref.randommatrix.bulk import BulkFit
from htsr_ref.randommatrix.phases import PhaseName
from htsr_ref.reports.frames import Library, data_frame
from htsr_ref.reports.verdicts import Verdict, verdict_of
from htsr_ref.spectra.shuffle import ShuffleNull
from htsr_ref.text import strictjson
from htsr_ref.text.csvtext import csv_text
from htsr_ref.text.lines import count, one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource

SPEC_VERSION = "0.3"
"""Version of the specification that this package implements."""

SkipCode = Literal[
    "left-out", "not-understood", "convention", "tied", "min-dim", "size", "bad-data", "memory"
]
NOT_COMPUTED = ("bad-data", "not-understood", "memory")
"""Reasons for which a number that was asked for is missing."""
Per = Literal["matrix", "layer"]


@dataclass(frozen=True)
class Tool:
    """The program that made the report."""

    name: str
    version: str


@dataclass(frozen=True)
class Source:
    """Where the weights came from.

    Attributes
    ----------
    name : name of the file or folder, or "memory".
    format : such as "safetensors" or "hdf5".
    sha256 : digest of the file; None for arrays in memory and remote files, and if not wanted.
    tensors : number of tensors.
    origin : what the file's manifest says of its own source; None without one.
    base : the other file, where the weights were computed from two; None otherwise.
    etag : version of a remote file, as its server states it; None for others.
    """

    name: str
    format: str
    sha256: str | None
    tensors: int
    origin: dict[str, str | None] | None
    base: "BaseSource | None" = None
    etag: str | None = None

    @property
    def title(self) -> str:
        """Name of the file, or of both."""
        return (
            self.name if self.base is None else f"{self.name} {self.base.relation} {self.base.name}"
        )


@dataclass(frozen=True)
class BaseSource:
    """The other file of weights that were computed from two.

    Attributes
    ----------
    relation : "minus" if its weights were subtracted, "plus" if an adapter was added to them.
    name, format, sha256, tensors, etag : as of a source.

    Spec: DER-10, DER-11.
    """

    relation: Literal["minus", "plus"]
    name: str
    format: str
    sha256: str | None
    tensors: int
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class ExtremeValue:
    """The extreme-value index ξ of a sample, whose sign tells whether there is a power law.

    Attributes
    ----------
    xi, stderr : the index and its standard error.
    k : number of largest values it rests on.
    estimator : how it was estimated.
    verdict : "heavy tail", "bounded edge" or "undecided".
    implied_alpha : 1 + 1/ξ; None for ξ ≤ 0.

    Spec: PL-68, PL-69.
    """

    xi: float
    stderr: float
    k: int
    estimator: str
    verdict: str
    implied_alpha: float | None


@dataclass(frozen=True)
class LawComparison:
    """A likelihood-ratio test of the power law against another law on the fitted tail.

    Attributes
    ----------
    log_likelihood_ratio : natural log; positive where the power law is the likelier.
    normalized_ratio : the ratio over its standard deviation; None for nested laws.
    p_value : two-sided; None where it is undefined.
    favored : "power_law" or the other law's name if the test decided, else None.
    test : "vuong" or "nested".

    Spec: PL-18, VRD-6.
    """

    log_likelihood_ratio: float
    normalized_ratio: float | None
    p_value: float | None
    favored: str | None
    test: str


@dataclass(frozen=True, slots=True)
class MatrixReport:
    """Numbers of one weight matrix; the table of metrics says what each means.

    Numbers of the fit are None together, and `alpha_null_reason` then says why. Norms are None
    for a zero matrix. `mp` is the bulk of the Marchenko-Pastur law, if there is one; it and the
    phase are None where several spectra are put together. `p_value` and `null_model` are None and
    `comparisons` is empty unless they were asked for; a law that cannot be fitted is None in it.
    The verdict (VRD-1) is drawn from the rest by `judged`, and None only before that.
    """

    index: int
    label: str
    N: int
    M: int
    Q: float
    solver: str
    num_eigenvalues: int
    num_zero: int
    weak_rank_loss: int
    lambda_max: float
    lambda_min: float
    rank: int
    alpha: float | None
    alpha_stderr: float | None
    alpha_ci95: tuple[float, float] | None
    alpha_null_reason: str | None
    xmin: float | None
    xmax: float | None
    tail_size: int | None
    ks_distance: float | None
    log10_frobenius_norm: float | None
    log10_spectral_norm: float | None
    log10_alpha_norm: float | None
    stable_rank: float | None
    log_stable_rank: float | None
    entropy: float | None
    weighted_alpha: float | None
    erg_tail_size: int | None
    delta_lambda_min: float | None
    extreme_value: ExtremeValue | None
    mp: BulkFit | None
    phase: PhaseName | None
    phase_reason: str | None
    verdict: Verdict | None = field(default=None, kw_only=True)
    p_value: float | None
    comparisons: dict[str, LawComparison | None]
    null_model: ShuffleNull | None
    warnings: tuple[str, ...]

    def judged(self) -> "MatrixReport":
        """Add the verdict.

        Spec: VRD-1.
        """
        return replace(self, verdict=verdict_of(self))

    def __repr__(self) -> str:
        label = f" {self.label}" if self.label else ""
        return one_line(f"<MatrixReport{label}: {self.N}×{self.M}, alpha {_short(self.alpha)}>")


def _short(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One tensor of the source: its matrices and their means, or why it was skipped.

    Attributes
    ----------
    name, tensor : the layer's name and its tensor's name in the file.
    role : what the tensor is for.
    axes, shape : canonical axes of a weight matrix, [stack…, out, in, k1…kd], and their lengths.
    dtype : the type of its numbers as stored.
    decided : how the role was decided, and whether that is stated or inferred.
    skipped, skip_code : why the layer was not analyzed; None if it was.
    matrices : one entry per weight matrix.
    means, counts : means over the matrices (`MEAN_FIELDS`) and the numbers behind each; None if
        skipped.
    warnings : what a reader should know of this layer.

    Spec: RPT-3, RPT-5.
    """

    name: str
    tensor: str
    role: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    decided: str
    skipped: str | None
    skip_code: SkipCode | None
    matrices: tuple[MatrixReport, ...]
    means: dict[str, float | None] | None
    counts: dict[str, int] | None
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        what = self.skipped or count(len(self.matrices), "matrix", "matrices")
        alpha = "" if self.means is None else f", alpha {_short(self.means['alpha'])}"
        return one_line(f"<LayerReport {self.name}: {self.role}, {what}{alpha}>")

    @property
    def fault(self) -> str:
        """Why it was skipped, with a name: that of bad data and lack of memory names the tensor."""
        reason = self.skipped or ""
        return reason if self.skip_code in ("bad-data", "memory") else f"{self.name}: {reason}"


@dataclass(frozen=True)
class ModelReport:
    """Means over the model (MET-10), the counts behind them, and the PL-norm relation (MET-11)."""

    layers: int
    matrices: int
    alpha_hat: float | None
    mean_alpha: float | None
    mean_log10_frobenius_norm: float | None
    mean_log10_spectral_norm: float | None
    mean_log10_alpha_norm: float | None
    mean_stable_rank: float | None
    counts: dict[str, int]
    pl_norm_relation: Line | None


@dataclass(frozen=True)
class Report:
    """Everything that was found in one weight file.

    Attributes
    ----------
    spec_version : version of the specification followed.
    tool, source, convention : who computed what, and how.
    solver : the solver asked for; each matrix names the one used.
    blas_threads : threads of each call of linear algebra; None where they are not known.
    seed : of the random choices; None where there were none.
    layers : one entry per tensor, in file order.
    model : means over the model.
    warnings : what concerns the file as a whole.

    Spec: RPT-3, RPT-4, RPT-5.
    """

    spec_version: str
    tool: Tool
    source: Source
    convention: Convention
    solver: str
    blas_threads: int | None
    seed: int | None
    layers: tuple[LayerReport, ...]
    model: ModelReport
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"<Report of {one_line(self.source.title)}: "
            f"{count(self.model.layers, 'layer')}, "
            f"{count(self.model.matrices, 'matrix', 'matrices')}, "
            f"alpha_hat {_short(self.model.alpha_hat)}, convention {self.convention.name}>"
        )

    def __str__(self) -> str:
        """Lay out a table as wide as the terminal, whole where standard output is none."""
        from htsr_ref.reports.plain_text import report_table
        from htsr_ref.text.layout import Layout

        return report_table(self, replace(Layout.here(), color=False))

    def failures(self, gates: Iterable[str]) -> tuple[str, ...]:
        """Say which gates the report does not pass, such as "alpha_hat>3" or "layer:alpha>6".

        Spec: RPT-7.
        """
        from htsr_ref.reports.gates import failures

        return failures(self, gates)

    def to_markdown(self) -> str:
        """Write a rounded table as Markdown.

        Spec: RPT-6.
        """
        from htsr_ref.reports.markdown import to_markdown

        return to_markdown(self)

    def to_json(self) -> str:
        """Write the report as JSON text.

        Spec: RPT-1, RPT-2, CNV-1.
        """
        return strictjson.dumps(self)

    @staticmethod
    def from_json(text: str) -> "Report":
        """Read a report from JSON text.

        Raises
        ------
        ReportError
            The text is not such a report.

        Spec: RPT-2.
        """
        from htsr_ref.reports.reading import read_report

        return read_report(text)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> "Report":
        """Read a report from a JSON file.

        Raises
        ------
        ReportError
            The file cannot be read, or is not such a report.
        """
        from htsr_ref.reports.reading import load_report

        return load_report(path)

    def analyzed(self) -> tuple[LayerReport, ...]:
        """Layers that were analyzed."""
        return tuple(layer for layer in self.layers if layer.skipped is None)

    def bad_layers(self) -> tuple[LayerReport, ...]:
        """Layers skipped because their data are bad or not understood."""
        return tuple(layer for layer in self.layers if layer.skip_code in NOT_COMPUTED)

    def to_rows(self, per: Per = "matrix") -> list[dict[str, Any]]:
        """Flatten to one dict per matrix, or per layer, as data-frame libraries take it.

        Spec: RPT-6.
        """
        from htsr_ref.reports.rows import report_rows

        return list(report_rows(self, per))

    def to_csv(self, per: Per = "matrix") -> str:
        """Write the rows as CSV; undefined numbers are empty cells.

        Spec: RPT-6.
        """
        from htsr_ref.reports.rows import row_columns

        return csv_text(row_columns(per), self.to_rows(per))

    def to_dataframe(self, per: Per = "matrix", library: Library = "pandas") -> Any:
        """Make a data frame of the rows.

        Raises
        ------
        HtsrError
            The library is not installed.

        Spec: FIG-9, RPT-6.
        """
        from htsr_ref.reports.rows import row_columns

        return data_frame(self.to_rows(per), row_columns(per), library)

    def plot(
        self,
        layer: str | None = None,
        weights: "WeightSource | Weights | None" = None,
        matrix: int = 0,
    ) -> "Figure":
        """Draw α by depth; with a layer and the weights, all figures of one of its matrices.

        Parameters
        ----------
        layer : name of a layer; None for the model.
        weights : what the report was made from: it holds no eigenvalues itself.
        matrix : which of the layer's matrices.

        Returns
        -------
        Figure of matplotlib.

        Raises
        ------
        HtsrError
            matplotlib is not installed, or there is no such matrix.

        Spec: FIG-6, FIG-9.
        """
        from htsr_ref.plots import alpha_by_depth, layer_figure
        from htsr_ref.reports.judgments import verdict_words

        if layer is None:
            return alpha_by_depth(self, verdict_words(self))
        if weights is None:
            raise HtsrError("a layer's figures need its eigenvalues: give the weights as well")
        return layer_figure(self, layer, weights, matrix)

    def to_html(self) -> str:
        """Write a rounded table as HTML; notebooks show it.

        Spec: FIG-9.
        """
        from htsr_ref.reports.html import to_html

        return to_html(self)

    _repr_html_ = to_html
