"""Networks from and to repositories of the Hugging Face Hub."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pnas_models._checkpoints._save import save_weights
from pnas_models._config import load_network
from pnas_models._network import CellNetwork
from pnas_models._operations import OperationBuilder

try:
    from huggingface_hub import HfApi, ModelCard, ModelCardData
except ImportError as error:
    raise ImportError('pnas_models.huggingface needs the Hub: pip install "pnas-models[huggingface]"') from error

__all__ = ["from_pretrained", "push_to_hub"]

_WEIGHTS_FILE = "model.safetensors"


def from_pretrained(
    repo_id: str,
    *,
    revision: str | None = None,
    operations: Mapping[str, OperationBuilder] | None = None,
) -> CellNetwork:
    """The network that `push_to_hub` published, from the Hub or from its cache.

    Args:
        repo_id: `owner/name`.
        revision: a branch, tag or commit.
        operations: builders for the operations that are not the paper's.

    Raises:
        ModelError: the repository's file is not one of ours.
        huggingface_hub.errors.HfHubHTTPError: there is no such repository, or it is not open to you.
    """
    return load_network(HfApi().hf_hub_download(repo_id, _WEIGHTS_FILE, revision=revision), operations=operations)


def push_to_hub(
    network: CellNetwork,
    repo_id: str,
    *,
    private: bool = False,
    license: str | None = None,
    commit_message: str = "Add the network",
) -> str:
    """Publish a network: its weights as safetensors, its config, and a model card unless there is one.

    It is published as whom `hf auth login` or `HF_TOKEN` says.

    Args:
        network: what `from_pretrained` shall give; operations of your own must be given there again.
        repo_id: `owner/name`; the repository is made if it is not there.
        private: whether a new repository is.
        license: an SPDX identifier for a new model card.
        commit_message: of the commit.

    Returns:
        The URL of the commit.
    """
    api = HfApi()
    with tempfile.TemporaryDirectory() as folder:
        save_weights(network, Path(folder) / _WEIGHTS_FILE)
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        config = json.dumps(network.config, indent=2)
        (Path(folder) / "config.json").write_text(config + "\n", encoding="utf-8")
        if not api.file_exists(repo_id, "README.md"):
            _model_card(repo_id, license).save(Path(folder) / "README.md")
        commit = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=commit_message)
    return str(commit.commit_url)


def _model_card(repo_id: str, license: str | None) -> ModelCard:
    header = ModelCardData(library_name="pnas-models", pipeline_tag="image-classification", license=license)
    usage = f'from pnas_models.huggingface import from_pretrained\n\nmodel = from_pretrained("{repo_id}")\n'
    return ModelCard(f"---\n{header.to_yaml()}\n---\n\n# {repo_id}\n\n```python\n{usage}```\n")
