"""Every error Huaxiang raises on purpose.

::

    HuaxiangError
    ├── InputError                 something the user gave is wrong; the command line exits with 2
    │   ├── SettingsError          a setting is unknown, of the wrong type or out of range
    │   ├── RulesError             a file of shop rules can't be used
    │   ├── ShopError              a shop folder or one of its files can't be read
    │   ├── ArtefactError          a run or model folder is missing, truncated or of a newer version
    │   ├── EncoderError           an encoder folder or an input to it can't be used
    │   │   └── TooFewPhotosError  a shop has too few photos to learn an encoder from
    │   ├── PhotoError             a photo that was named can't be fetched or read
    │   ├── UnknownShopperError    no such shopper
    │   ├── UnknownItemError       no such item
    │   └── ClockError             a time lies where none may lie
    ├── TrainingError              a fit can't go on
    │   ├── DivergedError          its loss or a gradient is no longer a number
    │   └── OutOfMemoryError       the memory does not hold one row of it
    ├── NotFittedError             used before `fit`
    ├── MissingExtraError          an optional package is needed; names the extra
    ├── RequestError               a request to the service can't be answered as asked
    │   ├── KeyRefusedError        no key, an unknown one, or one that is no longer valid
    │   ├── ScopeError             the key may not do this
    │   ├── ConsentError           the shopper has not allowed this purpose
    │   ├── LimitError             the request is larger than one may be
    │   ├── TooManyRequestsError   the key asks more often than it may
    │   ├── PreconditionError      what was to be changed has changed meanwhile
    │   └── BusyError              the service can't take more now
    ├── ServiceError               what a client of the service got instead of an answer
    │   ├── NotAllowedError        the key is refused, or may not do this, or the shopper has not allowed it
    │   ├── NotFoundError          the service knows no such shopper, item or version
    │   ├── NotAcceptedError       the request is wrong, or larger than one may be
    │   ├── ConflictError          what was to be changed has changed meanwhile
    │   └── UnavailableError       too busy, or out of reach, also after trying again
    ├── StoreError                 the log can't be opened or reached, or is of a newer version
    └── StorageError               the disk is full, or a file can't be written

Examples
--------
>>> str(ShopError("column is missing", file="items.csv", column="item_id", remedy="name it in shop.toml"))
'column is missing: items.csv item_id; name it in shop.toml'
"""

from __future__ import annotations

import errno


class HuaxiangError(Exception):
    """An error with four parts: what failed, where, the value got, and what to do next.

    Parameters
    ----------
    message
        What failed, in one clause. Never personal data.
    file, line, column, value
        Where, and what was found there; each may be absent. `line` counts from 1.
    remedy
        What the user can do about it.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.value = value
        self.remedy = remedy
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        where = self.file or ""
        if self.line is not None:
            where += f":{self.line}"
        place = " ".join(part for part in (where, self.column or "", _quoted(self.value)) if part)
        sentence = f"{self.message}: {place}" if place else self.message
        return f"{sentence}; {self.remedy}" if self.remedy else sentence

    def as_json(self) -> dict[str, object]:
        """Return the error object printed under `"error"` by every `--json` command."""
        return {
            "kind": type(self).__name__,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "remedy": self.remedy,
        }


def _quoted(value: str | None, *, longest: int = 80) -> str:
    if value is None:
        return ""
    shown = value if len(value) <= longest else value[: longest - 1] + "…"
    return repr(shown)


class InputError(HuaxiangError):
    """Something the user gave can't be used."""

    exit_code = 2


class SettingsError(InputError):
    """A setting is unknown, of the wrong type or out of range."""


class RulesError(InputError):
    """A file of shop rules can't be used."""


class ShopError(InputError):
    """A shop folder or one of its files can't be read."""


class ArtefactError(InputError):
    """A run or model folder is missing, truncated or made by a newer version."""


class EncoderError(InputError):
    """An encoder folder, or an input to an encoder, can't be used."""


class TooFewPhotosError(EncoderError):
    """A shop has too few photos to learn an encoder from."""


class PhotoError(InputError):
    """A photo that was named can't be fetched, or is none; `code` is stable."""

    def __init__(
        self, message: str, *, code: str, value: str | None = None, remedy: str | None = None
    ) -> None:
        self.code = code
        super().__init__(message, column="images", value=value, remedy=remedy)


class UnknownShopperError(InputError):
    """No such shopper."""


class UnknownItemError(InputError):
    """No such item."""


class ClockError(InputError):
    """A time lies where none may lie."""


class TrainingError(HuaxiangError):
    """A fit can't go on."""

    exit_code = 2


class DivergedError(TrainingError):
    """The loss or a gradient is no longer a number; the weights before it are kept."""


class OutOfMemoryError(TrainingError):
    """The memory does not hold one row of what is to be learnt."""


class NotFittedError(HuaxiangError):
    """Used before `fit`."""


class MissingExtraError(HuaxiangError):
    """An optional package is needed.

    Examples
    --------
    >>> str(MissingExtraError.of("torch", extra="train"))
    'needs torch; install huaxiang[train]'
    """

    exit_code = 2

    @classmethod
    def of(cls, package: str, *, extra: str) -> MissingExtraError:
        """Return the error that names the package and the extra that brings it."""
        return cls(f"needs {package}", remedy=f"install huaxiang[{extra}]")


class RequestError(HuaxiangError):
    """A request to the service can't be answered as asked."""

    exit_code = 2


class KeyRefusedError(RequestError):
    """There is no key, an unknown one, or one that is no longer valid."""


class ScopeError(RequestError):
    """The key may not do this."""


class ConsentError(RequestError):
    """The shopper has not allowed this purpose."""


class LimitError(RequestError):
    """The request is larger than one may be."""


class TooManyRequestsError(RequestError):
    """The key asks more often than it may.

    Parameters
    ----------
    retry_after_s
        Seconds until the next request is answered.
    """

    def __init__(self, message: str, *, retry_after_s: float = 1.0, remedy: str | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, remedy=remedy)


class PreconditionError(RequestError):
    """What was to be changed has changed meanwhile."""


class BusyError(RequestError):
    """The service can't take more now."""


class ServiceError(HuaxiangError):
    """What a client of the service got instead of an answer.

    Parameters
    ----------
    status
        HTTP status; None where there was no answer at all.
    code
        Stable name of the problem, as in the answer's problem+json.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "unknown",
        column: str | None = None,
        value: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.status = status
        self.code = code
        super().__init__(message, column=column, value=value, remedy=remedy)

    def as_json(self) -> dict[str, object]:
        """Return the error object with status and code."""
        return {**super().as_json(), "status": self.status, "code": self.code}


class NotAllowedError(ServiceError):
    """The key is refused, or may not do this, or the shopper has not allowed it."""


class NotFoundError(ServiceError):
    """The service knows no such shopper, item or version."""


class NotAcceptedError(ServiceError):
    """The request is wrong, or larger than one may be."""


class ConflictError(ServiceError):
    """What was to be changed has changed meanwhile."""


class UnavailableError(ServiceError):
    """The service is too busy, or out of reach, also after trying again."""


class StoreError(HuaxiangError):
    """The log can't be opened or reached, or is of a newer version."""

    exit_code = 2


class StorageError(HuaxiangError):
    """The disk is full, or a file can't be written."""

    exit_code = 2

    @classmethod
    def full(cls, file: str | None) -> StorageError:
        """Return the error of a disk on which there was no room for `file`."""
        return cls("no space left", file=file, remedy="free some space, or name another folder")


def is_disk_full(error: BaseException) -> bool:
    """Return whether `error`, from whichever library, says that the disk is full.

    Polars and safetensors raise errors of their own, which keep the system's words but not its number.

    Examples
    --------
    >>> import errno
    >>> is_disk_full(OSError(errno.ENOSPC, "No space left on device"))
    True
    >>> is_disk_full(ValueError("I/O error: No space left on device (os error 28)"))
    True
    """
    return getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error)
