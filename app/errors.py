"""Everything that the service raises on purpose.

* ServiceError: a request that is not answered; it becomes a problem document
  + UploadError
    - EmptyUploadError         400
    - MalformedUploadError     400
    - InvalidInferenceError    400 (in `app.v2.errors`)
    - UploadTooLargeError      413
    - BatchTooLargeError       413
    - TooManyFieldsError       413
    - UnsupportedUploadError   415
    - MissingFileError         422
    - TooManyFilesError        422
  + MalformedRequestError      400
  + PreflightError             400
  + UnauthorizedError
    - MissingKeyError          401
    - WrongKeyError            401
  + UnknownModelError          404 (in `app.v2.errors`)
  + NotAcceptableError         406
  + SlowRequestError           408
  + HeadersTooLargeError       431
  + UnavailableError
    - NotReadyError            503
    - NotLiveError             503
    - OverloadedError          503
      * CrowdedError           503
  + DecodingError              500
  + InferenceError             500
  + DeadlineError              504
* StartupError: a service that does not start; its sentence goes to standard error
  + SettingsError
  + ModelCardError
  + EngineUnavailableError     (in `app.engines.engine`)

What is wrong with a picture itself is an `app.images.ImageError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class ServiceError(Exception):
    """A request that is not answered. Its message is a sentence for the client."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal server error"
    headers: ClassVar[Mapping[str, str]] = MappingProxyType({})


class UploadError(ServiceError):
    """The request does not hold pictures in a way that the service reads."""

    status = 400
    title = "Unusable upload"


class EmptyUploadError(UploadError):
    """The file has no bytes."""

    title = "Empty file"


class MalformedUploadError(UploadError):
    """The multipart body breaks off or is not well-formed."""

    title = "Malformed upload"


class UploadTooLargeError(UploadError):
    """The file has more bytes than are read."""

    status = 413
    title = "File too large"


class BatchTooLargeError(UploadError):
    """There are more files, or more bytes in all of them, than one request may have."""

    status = 413
    title = "Batch too large"


class UnsupportedUploadError(UploadError):
    """The content type of the request is neither multipart nor an image's."""

    status = 415
    title = "Unsupported content type"


class MissingFileError(UploadError):
    """There is no field for the picture, or no body at all."""

    status = 422
    title = "Missing file"


class TooManyFilesError(UploadError):
    """There is more than one field `file`."""

    status = 422
    title = "Too many files"


class TooManyFieldsError(UploadError):
    """The form has more fields that hold no picture than are read."""

    status = 413
    title = "Too many fields"


class MalformedRequestError(ServiceError):
    """What was sent is not HTTP."""

    status = 400
    title = "Malformed request"


class PreflightError(ServiceError):
    """A browser asks for a page of another site what that page may not do."""

    status = 400
    title = "Preflight refused"


class UnauthorizedError(ServiceError):
    """The request is not from somebody who may ask."""

    status = 401
    title = "Unauthorized"
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="alexnet"'})


class MissingKeyError(UnauthorizedError):
    """The request shows no key."""

    title = "Missing key"


class WrongKeyError(UnauthorizedError):
    """The request shows a key that is not one of the service's."""

    title = "Wrong key"
    headers = MappingProxyType(
        {"WWW-Authenticate": 'Bearer realm="alexnet", error="invalid_token"'}
    )


class NotAcceptableError(ServiceError):
    """The client takes no media type that the path answers with."""

    status = 406
    title = "Not acceptable"


class SlowRequestError(ServiceError):
    """The request did not arrive in time."""

    status = 408
    title = "Request too slow"
    headers = MappingProxyType({"Connection": "close"})


class HeadersTooLargeError(ServiceError):
    """The request's line and headers have more bytes than are read."""

    status = 431
    title = "Headers too large"


class UnavailableError(ServiceError):
    """The service cannot answer now, but may later."""

    status = 503
    title = "Service unavailable"


class NotReadyError(UnavailableError):
    """The model is not loaded, every engine of it fails, or the service is shutting down."""

    title = "Not ready"
    headers = MappingProxyType({"Retry-After": "1"})


class NotLiveError(UnavailableError):
    """A part of the service hangs; only a restart will help."""

    title = "Not live"


class OverloadedError(UnavailableError):
    """As many pictures are waiting as may wait."""

    title = "Overloaded"
    headers = MappingProxyType({"Retry-After": "1"})


class CrowdedError(OverloadedError):
    """As many connections are open as may be."""

    title = "Too many connections"
    headers = MappingProxyType({"Retry-After": "1", "Connection": "close"})


class DecodingError(ServiceError):
    """The service failed to decode the picture, which need not be the picture's fault."""

    title = "Decoding failed"


class InferenceError(ServiceError):
    """The engine failed on the batch that the picture was in."""

    title = "Inference failed"


class DeadlineError(ServiceError):
    """The answer was not ready in time."""

    status = 504
    title = "Deadline passed"


class StartupError(Exception):
    """The service cannot start. Its message is a sentence that says what to do."""


class SettingsError(StartupError):
    """A setting is missing, malformed or unsafe."""


class ModelCardError(StartupError):
    """The card is missing or invalid, or a file is not the one that it describes."""
