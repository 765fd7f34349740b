"""Settings: defaults < `grader.toml` in the working folder < `GRADER_*` variables < flags.

Never read at import time; the command line builds one value and passes it on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from grader import clock
from grader.errors import UsageError

SETTINGS_FILE = Path("grader.toml")


def _own_exercises() -> tuple[Path, ...]:
    return (Path(__file__).resolve().parent.parent / "exercises",)


class Settings(BaseSettings):
    """What can be set. Every field is also a `GRADER_<FIELD>` variable.

    Attributes:
        docker_host: Address of the engine; without it DOCKER_HOST and Docker's contexts decide.
        runtime: OCI runtime of submission boxes; runsc is gVisor.
        no_install: Never install or start anything on this machine.
        debian_mirror: Debian archive for building the base image where no registry answers and the
            machine's own apt settings name none.
        cache_dir: Wheels, the base image's archive, hidden data by digest. Safe to delete.
        config_dir: The signing key.
        data_dir: The database of results, and what was handed in. Worth a backup.
        database: URL of the database, for several machines; without it, a file in `data_dir`.
        artefacts: Where submissions and logs are kept: another folder, or a URL such as `s3://bucket/folder`; without
            it, a folder in `data_dir`. Keys come from where the driver of the URL looks for them.
        exercises: Folders that hold exercises; separated by the path separator in the variable.
        out: Where score sheets go.
        retention: How long people's work is kept after their last run: 90d, 6w, 18m or 2y. `grader candidate
            retention` lists who is older, and erases them when told to; nothing is ever erased by itself.
    """

    model_config = SettingsConfigDict(env_prefix="GRADER_", extra="forbid", frozen=True, validate_default=True)

    docker_host: str | None = None
    runtime: Literal["runc", "runsc"] = "runc"
    no_install: bool = False
    debian_mirror: str | None = None
    cache_dir: Path = Field(default_factory=lambda: platformdirs.user_cache_path("grader"))
    config_dir: Path = Field(default_factory=lambda: platformdirs.user_config_path("grader"))
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("grader"))
    database: str | None = None
    artefacts: str | None = None
    exercises: Annotated[tuple[Path, ...], NoDecode] = Field(default_factory=_own_exercises)
    out: Path = Path("grading")
    retention: str | None = None

    @field_validator("exercises", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("retention")
    @classmethod
    def _is_age(cls, value: str | None) -> str | None:
        if value is not None:
            clock.ago(value)
        return value

    @field_validator("cache_dir", "config_dir", "data_dir", "out")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        return value.expanduser()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the sources in the order that the module's docstring gives."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=SETTINGS_FILE)


def load_settings(**flags: Any) -> Settings:
    """Read the settings that hold in this process.

    Args:
        flags: Values from the command line; None means that a flag was not given.

    Raises:
        UsageError: A value, or `grader.toml` itself, cannot be used.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"setting {name!r}: {first['msg'].removeprefix('Value error, ')}",
            hint=f"It comes from a flag, GRADER_{name.upper()} or {SETTINGS_FILE}.",
        ) from error
    except (SettingsError, OSError, ValueError) as error:
        raise UsageError(f"{SETTINGS_FILE} cannot be read: {error}", hint="It must be a valid TOML file.") from error
