"""`htsr rank`."""

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.cli.sources import each_once

EPILOG = "Example: htsr rank checkpoints/*.safetensors"


def rank(
    files: loading.FilesArgument,
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: loading.ConventionOption = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    jobs: options.JobsOption = None,
    max_memory: options.MaxMemoryOption = None,
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    everything: loading.EverythingOption = False,
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    out: options.OutputOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Order models by alpha-hat: the smallest, predicted to generalize best, comes first.

    The prediction concerns models of one architecture trained on the same data. Models that
    cannot be told from noise, or whose weights are of another scale, stand apart.
    """
    form = output.choose_form(json, csv, False, out)
    output.check_writable(out, *files, layers, convention)
    asked = loading.asked(convention, set_, layers, (include, exclude), solver)
    machine = loading.Machine(jobs, max_memory, cache, cache_size)
    loaded = loading.load_reports(each_once(files), asked, machine)
    if loaded.reports:
        from htsr_ref.models.ranking import rank_reports

        ranking = rank_reports(loaded.named(), everything=everything)
        output.emit(output.text_of(ranking, form), out)
    code = loaded.exit_code()
    if code:
        raise typer.Exit(code)
