"""What can go wrong on the user's side; anything else that is raised is a fault of tfbind itself."""


class TfbindError(Exception):
    """The user's input or arguments are at fault.

    The message is one line that names the file, the record or line, what was found and what was
    expected. The command line prints it as ``tfbind: error: MESSAGE`` and exits with status 2.
    """


class MissingDependencyError(TfbindError):
    """An optional package is needed that is not installed; the message says how to install it."""

    def __init__(self, package: str, extra: str, purpose: str):
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed: pip install 'tfbind[{extra}]'"
        )
