"""Models in ONNX Runtime: one thread each, which sleeps when there is nothing to do."""

from pathlib import Path
from typing import Any

from worker.outputs.speech.engines.engine import SpeechError


def open_onnx_model(path: Path) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU; threads may run it at the same time.

    Raises:
        SpeechError: `speech.engine_missing`: there is no ONNX Runtime.
    """
    try:
        import onnxruntime
    except ImportError:
        raise SpeechError("speech.engine_missing", "the embedded engine needs the extra parley[speech]") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
