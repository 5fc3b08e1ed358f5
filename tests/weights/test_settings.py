"""FMT-20 and FMT-21: JSON files beside the weights, and the choice of layers by name."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import open_weights, select

ARRAYS = {
    "model.layers.0.qkv_proj.weight": np.ones((384, 192), np.float32),
    "model.layers.1.fc.weight": np.ones((192, 192), np.float32),
    "model.layers.1.fc.bias": np.ones(192, np.float32),
}
CONFIG = {"hidden_size": 192, "num_attention_heads": 12, "num_key_value_heads": 6}


@pytest.fixture
def folder(tmp_path):
    save_file(ARRAYS, tmp_path / "model.safetensors")
    return tmp_path


def parts(path):
    return [part.size for part in open_weights(path).layers[0].parts]


@pytest.mark.spec("FMT-20")
@pytest.mark.parametrize("config", [CONFIG, {"text_config": CONFIG}])
def test_the_configuration_beside_the_weights_is_read(folder, config):
    (folder / "config.json").write_text(json.dumps(config))
    assert parts(folder) == parts(folder / "model.safetensors") == [192, 96, 96]


@pytest.mark.spec("FMT-20")
def test_infinities_that_transformers_writes_are_no_fault(folder):
    (folder / "config.json").write_text('{"time_step_limit": [0.0, Infinity]}')
    assert parts(folder) == []


@pytest.mark.spec("FMT-20")
@pytest.mark.parametrize("text", ["{", "[]", "3", '"a"', "[" * 100_000])
def test_a_configuration_that_is_none_is_one_line(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(WeightFileError, match="JSON") as caught:
        open_weights(folder)
    assert "config.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.spec("FMT-20")
@pytest.mark.parametrize("width", [0, -1, -192, "192", True, None, [192], 192.0])
def test_a_width_that_is_no_positive_whole_number_says_nothing(folder, width):
    (folder / "config.json").write_text(json.dumps({"hidden_size": width}))
    layers = open_weights(folder).layers
    assert len(layers) == 3
    assert {layer.tensor for layer in layers} == set(ARRAYS)


@pytest.mark.spec("FMT-20")
def test_an_adapter_need_not_have_the_width_of_its_model(tmp_path):
    prompt = {"prompt_embeddings": np.ones((20, 96), np.float32)}
    save_file(prompt, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "PREFIX_TUNING"}')
    (tmp_path / "config.json").write_text('{"hidden_size": 1000}')
    assert len(open_weights(tmp_path).layers) == 1


@pytest.mark.spec("FMT-9", "FMT-20")
@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
def test_a_pointer_in_place_of_a_configuration_or_an_index_is_named(folder, name):
    (folder / name).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 3\n"
    )
    with pytest.raises(WeightFileError, match=f"{name}: it is a Git LFS pointer"):
        open_weights(folder)


@pytest.mark.spec("FMT-20")
def test_a_configuration_of_another_model_is_refused(folder):
    (folder / "config.json").write_text(json.dumps({"hidden_size": 1000}))
    with pytest.raises(WeightFileError, match="contradicts it: hidden_size is 1000"):
        open_weights(folder)


@pytest.mark.spec("FMT-20")
def test_a_configuration_out_of_the_folder_is_refused(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "secret.json"
    other.write_text(json.dumps(CONFIG))
    (folder / "config.json").symlink_to(other)
    with pytest.raises(WeightFileError, match="link out of its folder"):
        open_weights(folder)


def chosen(*patterns):
    layers = select(open_weights(ARRAYS), *patterns).layers
    return [layer.name for layer in layers if layer.left_out is None]


@pytest.mark.spec("FMT-21")
def test_layers_are_chosen_by_layer_or_tensor():
    first, second = "model.layers.0.qkv_proj", "model.layers.1.fc"
    assert chosen() == [first, second]
    assert chosen(["model.layers.0.*"]) == [first]
    assert chosen(["*fc"]) == chosen(["model.layers.1.fc.weight"]) == [second]
    assert chosen(None, ["*.0.*"]) == [second]
    assert chosen(["*layers*"], [second]) == [first]


@pytest.mark.spec("FMT-21")
def test_what_is_not_chosen_stays_in_the_list():
    layers = select(open_weights(ARRAYS), ["*.0.*"]).layers
    assert [layer.left_out for layer in layers] == [
        None,
        "not chosen (--include, --exclude)",
        "bias",
    ]


@pytest.mark.spec("FMT-21")
def test_a_pattern_that_matches_nothing_is_refused_with_the_nearest_names():
    with pytest.raises(WeightFileError, match=r"'model\.layers\.1\.fd' matches no .*layers\.1\.fc"):
        chosen(["model.layers.1.fd"])
