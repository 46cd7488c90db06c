"""Files in object storage, named by URLs such as s3://bucket/corpus, through fsspec.

Objects are written atomically: object stores publish one when its last byte has arrived, and on other storages it is
renamed when it is complete. Failed transfers are retried for a minute.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from cmaudio.errors import CmaudioError
from cmaudio.files.retry import RetryPolicy, retried

# These publish an object when all of it has arrived; on others a reader could find a partial one.
_PUBLISH_WHOLE = frozenset("s3 s3a gs gcs abfs abfss az adl oci oss memory".split())
_PART = ".part-"
_S3_SETTINGS = {"connect_timeout": 10, "read_timeout": 30, "retries": {"mode": "standard", "max_attempts": 2}}
Result = TypeVar("Result")
retry_policy = RetryPolicy()


class RemotePath:
    """A file or folder in object storage; `/` appends a name. It can be sent to other processes and machines."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") if not url.endswith("://") else url

    def __truediv__(self, name: str) -> RemotePath:
        return RemotePath(f"{self.url}{'' if self.url.endswith('://') else '/'}{name}")

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"RemotePath({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    @property
    def protocol(self) -> str:
        return self.url.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part."""
        return self.url.partition("://")[2].rpartition("/")[2]

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix

    # -- the storage; every method raises CmaudioError if it does not respond or refuses ------------------------------

    def is_file(self) -> bool:
        """Whether there is an object of this name."""
        return self._ask(lambda files, path: bool(files.isfile(path)))

    def is_dir(self) -> bool:
        """Whether there are objects below this name."""
        return bool(self.files())

    def files(self) -> dict[str, int]:
        """Sizes in bytes of all complete files below, by their names below."""

        def listed(files: Any, path: str) -> dict[str, int]:
            try:
                found = files.find(path, detail=True)
            except FileNotFoundError:
                return {}
            beginning = path.rstrip("/") + "/"
            return {
                name[len(beginning) :]: int(about["size"])
                for name, about in found.items()
                if name.startswith(beginning) and _PART not in name
            }

        return self._ask(listed)

    def size(self) -> int:
        """In bytes. Raises FileNotFoundError if it does not exist."""
        return self._ask(lambda files, path: int(files.size(path)))

    def read_bytes(self) -> bytes:
        """Raises FileNotFoundError if it does not exist."""
        return self._ask(lambda files, path: bytes(files.cat_file(path)))

    def write_bytes(self, data: bytes) -> None:
        """Write an object atomically; readers see the old one or the new one."""
        self._write(lambda files, path: files.pipe_file(path, data))

    def download(self, target: Path) -> None:
        """Copy to a local file, which a failure leaves incomplete. Raises FileNotFoundError if it does not exist."""
        self._ask(lambda files, path: files.get_file(path, str(target)))

    def upload(self, source: Path) -> None:
        """Copy a local file atomically; readers see the old object or the new one."""
        self._write(lambda files, path: files.put_file(str(source), path))

    def unlink(self) -> None:
        """Remove an object, if there is one."""

        def remove(files: Any, path: str) -> None:
            with contextlib.suppress(FileNotFoundError):
                files.rm_file(path)

        self._ask(remove)

    def _write(self, put: Callable[[Any, str], object]) -> None:
        def whole(files: Any, path: str) -> None:
            if self.protocol in _PUBLISH_WHOLE:
                put(files, path)
                return
            files.makedirs(path.rpartition("/")[0], exist_ok=True)
            part = f"{path}{_PART}{secrets.token_hex(6)}"
            try:
                put(files, part)
                files.mv(part, path)
            except BaseException:
                with contextlib.suppress(Exception):
                    files.rm_file(part)
                raise

        self._ask(whole)

    def _ask(self, action: Callable[[Any, str], Result]) -> Result:
        """Raises FileNotFoundError unchanged, and everything else as a CmaudioError."""
        try:
            files = _storage(self.protocol)
            path = files._strip_protocol(self.url)
            return retried(lambda: action(files, path), retry_policy)
        except (FileNotFoundError, CmaudioError):
            raise
        except ImportError as error:
            raise CmaudioError(
                f"{self.url}: {self.protocol}:// needs a package that is not installed ({error}): "
                "pip install 'cmaudio[cluster]'"
            ) from error
        except PermissionError as error:
            raise CmaudioError(f"{self.url}: the storage refuses access ({error}); check its credentials") from error
        except ValueError as error:
            raise CmaudioError(f"{self.url}: {error}; give a URL such as s3://bucket/folder") from error
        except Exception as error:  # each kind of storage has its own errors
            raise CmaudioError(
                f"{self.url}: the storage failed ({type(error).__name__}: {str(error)[:200]}), also after retrying "
                f"for {retry_policy.seconds:g} s; what is complete there is kept: run the same command again to resume"
            ) from error


@cache
def _storage(protocol: str) -> Any:
    """The storage of a protocol, configured by the environment like fsspec's and the storage's own tools."""
    import fsspec

    more = {"config_kwargs": _S3_SETTINGS} if protocol in ("s3", "s3a") else {}
    return fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True, **more)
