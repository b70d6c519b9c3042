"""What pays on this machine: the network on every device at every precision, repeatedly, against its original.

python -m human_pose.study [options]      runs the study and writes its report
python -m human_pose.study report DIR     writes the report of a study anew
"""

import sys
from pathlib import Path

from ..errors import UsageError, explain_import_error

try:
    from ..command import OptionParser
    from ..console import print_result, run_command, say, set_up_terminal
    from ..evaluate import load_annotations
    from ..invocation import as_typed, command
    from ..measurement.machine import check_psutil
    from .charts import check_matplotlib
    from .options import options_of, study_parser
    from .report import write_report
    from .results import FILE, Study
    from .runner import begin, carry_on, check_same_machine
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")


def run_study(arguments: list[str]) -> int:
    """Begin or resume a study. 130 where it was stopped, with the report of what was done."""
    parsed = study_parser(as_typed(__doc__ or "")).parse_args(arguments)
    folder: Path = parsed.output
    check_psutil()
    if parsed.charts:
        check_matplotlib()
    if parsed.resume:
        study = Study.load(folder)
        if not study.data["complete"]:
            check_same_machine(study)
    elif (folder / FILE).is_file():
        raise UsageError(f"'{folder}' holds a study already. Give --resume to go on, or another --output.")
    else:
        options = options_of(parsed)
        if options.annotations is not None:
            load_annotations(Path(options.annotations))
        study = begin(options)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"Cannot make the folder '{folder}': {error.strerror}. Give another --output.") from error
    study.save(folder)
    is_complete = study.data["complete"] or carry_on(study, folder)
    report = write_report(study, folder, parsed.charts)
    print_result("\n".join([report.note, *report.sentences]).lstrip())
    say(f"The report: {folder / 'report.html'}")
    return 0 if is_complete else 130


def report_anew(arguments: list[str]) -> int:
    parser = OptionParser(prog=f"{command('study')} report", description="Write a study's report anew.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the study's results.json")
    parser.add_argument("--no-charts", dest="charts", action="store_false", help="none; then matplotlib is not needed")
    options = parser.parse_args(arguments)
    if options.charts:
        check_matplotlib()
    write_report(Study.load(options.folder), options.folder, options.charts)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    set_up_terminal()
    words = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: report_anew(words[1:]) if words[:1] == ["report"] else run_study(words))


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()
