"""What a job may set about a site's local training, checked before anything starts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fedaid.errors import require

WHERE = "executor args of config_fed_client.json"
LEAST = {
    "align_steps": 0,
    "pretrain_steps": 1,
    "binding_warmup_rounds": 0,
    "warmup_steps": 0,
    "micro_batch_size": 0,
    "feature_memory_mb": 0,
    "threads": 0,
    "processes": 1,
    "workers": 0,
    "seed": 0,
}
NOT_NEGATIVE = ("weight_decay", "binding_weight", "proximal_weight", "moon_weight")
CHOICES = {
    "binding_form": ("points", "similarity"),
    "binding_schedule": ("constant", "warmup", "teacher"),
    "teacher_view": ("kept", "fresh"),
    "precision": ("fp32", "bf16", "fp16"),
    "compile_backend": ("none", "inductor", "aot_eager", "eager"),
}
SWITCHES = ("local_normalisation", "report_student_loss", "channels_last", "gradient_checkpointing")


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of local training; what the faster and the smaller ones cost is in ``docs/training.md``.

    Attributes:
        batch_size: B, pairs per step, at least 2.
        valid_batch_size: fixed batch size of the validation loss; the same at all sites, so that losses compare.
        micro_batch_size: pairs whose activations lie in memory at once, a divisor of ``batch_size``; 0 for all of them.
        align_steps: T1; 0 leaves the alignment phase out.
        pretrain_steps: T2.
        learning_rate: of AdamW, after warm-up.
        align_learning_rate: the same for the alignment phase; None takes ``learning_rate``.
        weight_decay: of AdamW, on matrices only.
        warmup_steps: steps at the start of each phase over which the rate grows from near 0.
        max_grad_norm: the global gradient norm is clipped to it.
        binding_weight: λ of the binding regularizer; 0 turns it off.
        binding_form: what is bound: ``points``, each embedding; ``similarity``, the image-text matching of a batch.
        binding_schedule: of λ over the rounds: ``constant``; ``warmup``, from 0 in round 0 in equal steps;
            ``teacher``, times the teacher's quality 1 − L / log B, see :func:`quality_of`.
        binding_warmup_rounds: the round from which a ``warmup`` is over; at least 1 for it.
        proximal_weight: μ of FedProx: μ/2 ‖θ − θ₀‖² is added in phase two; 0 turns it off.
        moon_weight: μ of MOON, the weight of its model-contrastive term in phase two; 0 turns it off.
        moon_temperature: τ of that term.
        local_normalisation: the site goes on with its own batch norm, whatever the server sends (FedBN).
        report_student_loss: the site validates the model that it trained in phase two, too, and reports the metric
            ``student_loss`` in the next round; one more pass over the validation split a round.
        teacher_view: what the teacher embeds: ``kept``, each sample once and unaugmented; ``fresh``, what the student
            sees, by a second model and a forward pass for every batch.
        feature_memory_mb: memory for kept encoder outputs in MiB; what is more goes to a file at the site.
        precision: of the towers' matrix products: ``fp32``, ``bf16``, or ``fp16`` with loss scaling.
        channels_last: lays images and convolutions out with the channels last.
        gradient_checkpointing: Hugging Face encoders compute activations again instead of keeping them.
        compile_backend: of ``torch.compile`` for phase two; ``none`` leaves it out.
        threads: CPU threads of this site, shared by its processes; 0 leaves torch's choice (OMP_NUM_THREADS).
        processes: that a batch is spread over in training, one per GPU; a divisor of ``batch_size``. A site's
            environment variable FEDAID_PROCESSES wins.
        workers: data loader processes; 0 loads in the training process.
        seed: of the run; all that is random at a site follows from it, the site's name and the round.

    Raises:
        InputError: naming the setting.
    """

    batch_size: int = 32
    valid_batch_size: int = 16
    micro_batch_size: int = 0
    align_steps: int = 20
    pretrain_steps: int = 50
    learning_rate: float = 1e-4
    align_learning_rate: float | None = None
    weight_decay: float = 0.05
    warmup_steps: int = 5
    max_grad_norm: float = 1.0
    binding_weight: float = 0.1
    binding_form: str = "points"
    binding_schedule: str = "constant"
    binding_warmup_rounds: int = 0
    proximal_weight: float = 0.0
    moon_weight: float = 0.0
    moon_temperature: float = 0.5
    local_normalisation: bool = False
    report_student_loss: bool = False
    teacher_view: str = "kept"
    feature_memory_mb: int = 512
    precision: str = "fp32"
    channels_last: bool = False
    gradient_checkpointing: bool = False
    compile_backend: str = "none"
    threads: int = 0
    processes: int = 1
    workers: int = 0
    seed: int = 0

    @property
    def pairs_at_once(self) -> int:
        """Pairs whose activations lie in memory at once."""
        return self.micro_batch_size or self.batch_size

    def __post_init__(self) -> None:
        for name in ("batch_size", "valid_batch_size"):
            remedy = "The contrastive loss of one pair is constant; use 16 or more."
            self._check_whole(name, least=2, remedy=remedy)
        for name, least in LEAST.items():
            self._check_whole(name, least=least)
        for name in ("learning_rate", "max_grad_norm", "moon_temperature"):
            self._check_number(name, above=True)
        for name in NOT_NEGATIVE:
            self._check_number(name, above=False)
        if self.align_learning_rate is not None:
            self._check_number("align_learning_rate", above=True)
        for name, choices in CHOICES.items():
            self._check(name, getattr(self, name) in choices, f"be one of {', '.join(choices)}")
        for name in SWITCHES:
            self._check(name, isinstance(getattr(self, name), bool), "be true or false")
        rule = f"divide batch_size {self.batch_size}"
        remedy = "Use a batch_size that is a multiple of the site's processes, or fewer of them."
        self._check("processes", self.batch_size % self.processes == 0, rule, remedy=remedy)
        fits = self.batch_size % self.pairs_at_once == 0 and self.pairs_at_once > 1
        remedy = "Use 0, or half, a quarter … of batch_size."
        self._check("micro_batch_size", fits, f"divide batch_size {self.batch_size} and be no 1", remedy=remedy)

        self._check_schedule()

    def _check_schedule(self) -> None:
        """Refuses a schedule of the binding that could not do anything, or could not be known in time."""
        waits = self.binding_schedule != "warmup" or self.binding_warmup_rounds > 0
        rule, remedy = "be at least 1 with binding_schedule warmup", "Set it, or use binding_schedule constant."
        self._check("binding_warmup_rounds", waits, rule, remedy=remedy)
        known = self.binding_schedule != "teacher" or self.teacher_view == "kept"
        remedy = "The quality is that of kept embeddings; use teacher_view kept or another schedule."
        self._check("teacher_view", known, "be kept with binding_schedule teacher", remedy=remedy)

    def _check_whole(self, name: str, *, least: int, remedy: str = "Correct the job's setting.") -> None:
        value = getattr(self, name)
        ok = is_number(value, int) and value >= least
        self._check(name, ok, f"be a whole number of at least {least}", remedy=remedy)

    def _check_number(self, name: str, *, above: bool) -> None:
        value = getattr(self, name)
        ok = is_number(value, (int, float)) and math.isfinite(value) and (value > 0 if above else value >= 0)
        self._check(name, ok, "be a finite number above 0" if above else "be a finite number of at least 0")

    def _check(self, name: str, ok: bool, rule: str, *, remedy: str = "Correct the job's setting.") -> None:
        require(ok, name, rule, got=getattr(self, name), where=WHERE, remedy=remedy)


def is_number(value: object, kind: type | tuple[type, ...]) -> bool:
    """Whether the value is a number of this kind; a bool is none."""
    return isinstance(value, kind) and not isinstance(value, bool)
