"""The last filter of a site's own policy: what it lets pass may leave, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nvflare.apis.dxo import DXO, DataKind, from_shareable
from nvflare.apis.filter import Filter
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply

from hospital_policy.egress_guard import GUARD_ID, EgressGuard
from hospital_policy.limited_update import Forms, formed, is_statistic, limited
from hospital_policy.plain_fields import number, result_text, split_metrics, update_fields
from hospital_policy.release import ERROR_HEADER, Release
from hospital_policy.rules import RULES_FILE, PolicyFault, Rules, read_rules
from hospital_policy.site_record import SiteRecord


class ReleaseFilter(Filter):  # type: ignore[misc]
    """Limits each answer of a site by the rules of its hospital; after any fault the answer is an empty error.

    Args:
        rng: of the noise, for tests; None for a new one for each update, seeded by the operating system.
    """

    def __init__(self, rng: Any = None) -> None:
        super().__init__()
        self._rng = rng
        self._moving: set[str] = set()

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """The answer within the rules, or an error reply with the reason."""
        if shareable.get_return_code() != ReturnCode.OK:
            return shareable
        try:
            return self._released(shareable, fl_ctx)
        except PolicyFault as fault:
            reason = str(fault)
        except Exception as error:  # fails closed; the text of an unexpected error may hold anything
            reason = f"the filter failed with {type(error).__name__}"
        self.log_error(fl_ctx, f"nothing leaves: {reason}")
        return make_reply(ReturnCode.TASK_RESULT_FILTER_ERROR, {ERROR_HEADER: f"hospital policy: {reason}"})

    def _released(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        workspace, guard = fl_ctx.get_engine().get_workspace(), fl_ctx.get_engine().get_component(GUARD_ID)
        if not isinstance(guard, EgressGuard):
            raise PolicyFault(f"component {GUARD_ID} must be the guard of the policy")
        rules = read_rules(Path(workspace.get_site_config_dir()) / RULES_FILE)
        record = SiteRecord(Path(workspace.get_root_dir()))
        dxo = from_shareable(shareable)
        if not isinstance(dxo.data, dict) or not isinstance(dxo.meta, dict):
            raise PolicyFault("an answer must hold tables")
        if dxo.data_kind == DataKind.WEIGHT_DIFF:
            found, details = self._update(dxo, rules, record, model=guard.model)
        elif dxo.data_kind == DataKind.METRICS:
            found, details = metrics_only(dxo, rules), {}
        else:
            raise PolicyFault(f"an answer must be an update or metrics, got kind {str(dxo.data_kind)[:40]}")
        details["dropped"] = sorted(str(name)[:40] for name in dxo.meta.keys() - found.meta.keys())
        guard.release = Release(str(found.data_kind), dict(found.data), dict(found.meta), details, guard.model)
        answer: Shareable = found.to_shareable()
        return answer

    def _update(self, dxo: DXO, rules: Rules, record: SiteRecord, *, model: Forms) -> tuple[DXO, dict[str, Any]]:
        tensors = formed(dxo.data, model)
        fields = update_fields(dxo.meta, rules)
        strangers = sorted(fields.get("counters", {}).keys() - model.keys())
        if strangers:
            raise PolicyFault(f"counter {strangers[0][:80]} must be of the model")
        self._moving |= {name for name, tensor in tensors.items() if tensor.any() and not is_statistic(name)}
        epsilon = record.spend(rules) if rules.noise else None
        update = limited(tensors, rules, moving=self._moving, rng=self._rng)
        details = {
            "norm": update.norm,
            "factor": update.factor,
            "statistics_norm": update.statistics_norm,
            "statistics_factor": update.statistics_factor,
            "noise": rules.noise * (rules.clip or 0.0),
            "epsilon": epsilon,
        }
        return DXO(dxo.data_kind, data=update.tensors, meta=fields), details


def metrics_only(dxo: DXO, rules: Rules) -> DXO:
    """An answer without tensors, within the rules.

    Raises:
        PolicyFault: if it has anything else than one of the three forms of this software: result, report, metrics.
    """
    if dxo.data.keys() == {"result"}:
        data: dict[str, Any] = {"result": result_text(dxo.data["result"], rules)}
        return DXO(dxo.data_kind, data=data, meta=update_fields({"round": dxo.meta.get("round")}, rules))
    if dxo.data.keys() == {"metrics"} and "pairs" in dxo.meta:
        fields = update_fields({**dxo.meta, "metrics": dxo.data["metrics"]}, rules)
        return DXO(dxo.data_kind, data={"metrics": fields.pop("metrics")}, meta=fields)
    fields = {"round": number(dxo.meta.get("round"))}
    return DXO(dxo.data_kind, data=split_metrics(dxo.data, rules), meta=update_fields(fields, rules))
