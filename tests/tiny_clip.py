"""A network of pictures and text that is small enough for tests, with random weights, as open_clip lays one out."""

import json

TINY = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.4, 0.5, 0.3], "std": [0.2, 0.3, 0.25]},
}


def write_tiny(folder, seed=0):
    """Write one with the weights of a seed into a folder, and give the folder."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    network = open_clip.CLIP(**TINY["model_cfg"])
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps(TINY))
    return folder
