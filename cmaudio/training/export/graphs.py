"""From torch networks to ONNX graphs with explicit state, in 32-bit float or 8-bit integer.

In 8 bit, weights are signed bytes with a scale per output channel, activations unsigned bytes with one scale per
tensor, fixed here from recorded playing (static quantisation). With fixed scales and exact integer sums, a voice's
samples do not depend on the other voices in its batch.
"""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place
from cmaudio.model.graph_check import check_graph
from cmaudio.training.config import RunConfig
from cmaudio.training.corpus.description import read_description
from cmaudio.training.networks.band_vocoder import BandVocoder
from cmaudio.training.networks.consistency import ConsistencyNetwork, ContextEncoder
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.networks.prosody import ProsodyNetwork
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.run.build_networks import make_consistency_network

OPSET = 20
_VOICES = 2  # of the traced example
Feed = dict[str, np.ndarray]
# Parts of the names of products that stay in float, by graph: small ones, and those whose rounding is visible in the
# spectrum. With every product in 8 bit the one-step mel distance to 256 held-out notes rose from 2.39 to 2.56 dB, so to
# 2.40; the vocoder's copy-synthesis distance (0.0948) does not change.
KEEP_FLOAT = {
    "controls": ("mlp",),
    "context": ("stem/", "sigma", "modulation"),
    "head": ("stem/", "sigma", "modulation", "/bridge/", "/out/"),
    "vocoder": ("stem/",),
}


class _ContextStep(nn.Module):
    """The context encoder as exported: returns only the last frame's context, with a flat state."""

    def __init__(self, encoder: ContextEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, frames: Tensor, conditioning: Tensor, sigma: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        context, new_state = self.encoder(frames, conditioning, sigma, list(state))
        return (context[:, -1], *new_state)


class _PriorStep(nn.Module):
    """The prior as exported: sampling needs only the moving spread, scaled by `life`."""

    def __init__(self, prior: PriorNetwork, life: float) -> None:
        super().__init__()
        self.prior, self.life = prior, life

    def forward(self, controls: Tensor, timbre: Tensor) -> tuple[Tensor, Tensor]:
        median, _, moving = self.prior(controls, timbre)
        return median, moving * self.life


class _VocoderStep(nn.Module):
    def __init__(self, vocoder: VocoderNetwork | BandVocoder) -> None:
        super().__init__()
        self.vocoder = vocoder

    def forward(self, mel: Tensor, f0: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        filters, new_state = self.vocoder(mel, f0, list(state))
        return (filters, *new_state)


def export_graphs(network: ConsistencyNetwork, vocoder: VocoderNetwork | BandVocoder) -> dict[str, bytes]:
    """The four float graphs of a model file, by name. The number of voices (axis 0) is free, that of frames is K."""
    frames, bands = network.head.block_frames, network.context_encoder.mel_bands
    return export_network(network) | {"vocoder": export_vocoder(vocoder, frames, bands)}


def export_vocoder(vocoder: VocoderNetwork | BandVocoder, block_frames: int, mel_bands: int) -> bytes:
    """The vocoder's graph."""
    frames = torch.zeros(_VOICES, block_frames, mel_bands)
    inputs = {"mel": frames, "f0": torch.zeros(frames.shape[:2])}
    return _trace(_VocoderStep(vocoder), inputs, vocoder.init_state(_VOICES), ["filters"])


def export_network(network: ConsistencyNetwork) -> dict[str, bytes]:
    """The three graphs of a consistency network, by name."""
    k, encoder = network.head.block_frames, network.control_encoder
    conditioning = torch.zeros(_VOICES, k, encoder.width)
    timbre = torch.zeros(_VOICES, k, network.timbres.embedding_dim)
    controls = torch.zeros(_VOICES, k, encoder.control_width)
    frames, sigma = torch.zeros(_VOICES, k, network.context_encoder.mel_bands), torch.ones(_VOICES)
    state = network.context_encoder.init_state(_VOICES)
    with torch.no_grad():
        context = network.context_encoder(frames, conditioning, sigma, state)[0][:, -1]
    inputs = {"frames": frames, "conditioning": conditioning, "sigma": sigma}
    noisy = {"noisy": frames, "sigma": sigma, "context": torch.zeros_like(context), "conditioning": conditioning}
    return {
        "controls": _trace(encoder, {"controls": controls, "timbre": timbre}, [], ["conditioning"]),
        "context": _trace(_ContextStep(network.context_encoder), inputs, state, ["context"]),
        "head": _trace(network.head, noisy, [], ["denoised"]),
    }


def export_prior(network: PriorNetwork, block_frames: int, life: float = 1.0) -> bytes:
    """The prior's graph: the median and spread of a block's frames."""
    controls = torch.zeros(2, block_frames, network.control_width)
    timbre = torch.zeros(2, block_frames, network.timbres.embedding_dim)
    return _trace(_PriorStep(network, life), {"controls": controls, "timbre": timbre}, [], ["median", "spread"])


def export_prosody(network: ProsodyNetwork) -> bytes:
    """The prosody graph, for one text of any number of phonemes."""
    ids = torch.zeros(1, 9, network.columns, dtype=torch.long)
    timbre = torch.zeros(1, network.timbre_dims)
    return _trace(network, {"ids": ids, "timbre": timbre}, [], ["prosody"], {"ids": {1: "P"}, "prosody": {1: "P"}})


def _trace(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    state: Sequence[Tensor],
    outputs: list[str],
    more_axes: Mapping[str, dict[int, str]] | None = None,
) -> bytes:
    """Export one module; axis 0 is free: with a fixed number of frames the graph has half as many nodes.

    `more_axes` are further free ones, by the input or output they belong to.
    """
    state_in = [f"state_{i}" for i in range(len(state))]
    state_out = [f"new_state_{i}" for i in range(len(state))]
    axes = {name: {0: "voices"} for name in (*inputs, *outputs, *state_in, *state_out)}
    for name, further in (more_axes or {}).items():
        axes[name] = axes[name] | further
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and the only one without further packages
        torch.onnx.export(
            module.eval(),
            (*inputs.values(), *state),
            buffer,  # type: ignore[arg-type]  # the tracing exporter takes a buffer, its annotation does not
            input_names=[*inputs, *state_in],
            output_names=[*outputs, *state_out],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


class _Feeds(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


@contextmanager
def _errors_only() -> Iterator[None]:
    """Silence the advice that the quantiser logs on the root logger, and restore the logger's level."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def quantise(graph: bytes, feeds: Sequence[Feed], keep_float: Sequence[str] = ()) -> bytes:
    """8-bit form of a float graph.

    Args:
        feeds: recorded inputs from playing; activation ranges are their extremes.
        keep_float: parts of weight names whose products stay in float.
    """
    with tempfile.TemporaryDirectory() as folder, _errors_only():
        source, prepared, target = (str(Path(folder) / name) for name in ("float.onnx", "prepared.onnx", "int8.onnx"))
        Path(source).write_bytes(graph)
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        products = [node for node in onnx.load(prepared).graph.node if node.op_type in ("MatMul", "Gemm")]
        quantize_static(
            prepared,
            target,
            _Feeds(feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_exclude=[n.name for n in products if any(part in n.name for part in keep_float)],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        )
        return Path(target).read_bytes()


def check_exportable(config: RunConfig, corpus: Place) -> None:
    """Raises CmaudioError if the network has operators that model files may not contain, or cannot be traced."""
    if config.network.kind == "consistency":
        return
    network = make_consistency_network(config, read_description(corpus))
    try:
        graphs = export_network(network.eval())
    except Exception as error:  # the tracer fails in many ways on code that it cannot follow
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise CmaudioError(f"network {config.network.kind} cannot be exported ({reason}); simplify it") from error
    for name, graph in graphs.items():
        try:
            check_graph(Path(config.network.kind), name, graph)
        except CmaudioError as error:
            raise CmaudioError(
                f"network {error}. Model files hold only the operations in cmaudio.model.graph_check.OPERATORS: write "
                "the network with those"
            ) from error
