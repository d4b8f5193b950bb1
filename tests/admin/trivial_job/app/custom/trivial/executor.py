"""An executor that waits a little and answers with a loss and with where its data are said to lie."""

import json
import os
import time
from pathlib import Path

from nvflare.apis.dxo import DXO, DataKind
from nvflare.apis.executor import Executor
from nvflare.apis.fl_constant import FLContextKey


class TrivialExecutor(Executor):
    """Answers ``train``; ``crash`` ends the site's process, as running out of memory does."""

    def __init__(self, seconds=0.5, crash=False):
        super().__init__()
        if seconds < 0:
            raise ValueError("seconds must not be negative")
        self.seconds = seconds
        self.crash = crash

    def execute(self, task_name, shareable, fl_ctx, abort_signal):
        if self.crash:
            os._exit(9)
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not abort_signal.triggered:
            time.sleep(0.02)
        answer = {"loss": float(len(fl_ctx.get_identity_name())), "root": data_root(fl_ctx)}
        return DXO(DataKind.METRICS, data=answer).to_shareable()


def data_root(fl_ctx):
    told = os.environ.get("FEDAID_DATA")
    if told:
        return told
    kit = Path(fl_ctx.get_prop(FLContextKey.WORKSPACE_OBJECT).get_site_config_dir())
    return json.loads((kit / "fedaid_site.json").read_text())["data_root"]
