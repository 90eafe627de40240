"""A check that is run before its blank is filled answers in one line, as a failed check does."""

from types import TracebackType

from course.notebooks.markers import BEGIN, UNWRITTEN


def answer_in_one_line() -> None:
    """Has Jupyter show one line instead of a traceback where a blank is still empty; elsewhere it does nothing."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((NotImplementedError, NameError), _show)


def _show(shell: object, kind: type, error: Exception, trace: TracebackType, tb_offset: int | None = None) -> None:
    sentence = _sentence(error, trace)
    if sentence:
        error._render_traceback_ = lambda: [f"Not yet: {sentence}"]
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _sentence(error: Exception, trace: TracebackType) -> str | None:
    """What to say of an error that an empty blank, or a cell that wasn't run, has caused; None of all others."""
    if isinstance(error, NotImplementedError):
        return str(error) if UNWRITTEN in str(error) else None
    frames = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    last = frames[-1]
    if last.f_code.co_name != "<module>" or BEGIN in _source(last.f_code.co_filename):
        return None  # a name that the student's own code misses: there the traceback helps
    return f"{error.name} isn't defined; run the cells above, and write what the blank above asks for."


def _source(filename: str) -> str:
    import linecache

    return "".join(linecache.getlines(filename))
