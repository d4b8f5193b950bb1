"""What a job may set about a site's local training, checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from fedaid.errors import require
from fedaid.setting import CORRECT, check_settings, choice, not_negative, or_none, positive, setting, switch, whole

WHERE = "executor args of config_fed_client.json"
SCHEDULE, OPTIMIZER, BINDING, BASELINES, HARDWARE = "schedule", "optimizer", "binding", "baselines", "hardware"
MORE_PAIRS = "The contrastive loss of one pair is constant; use 16 or more."


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of local training. Each field says what it does; docs/training.md has them as a table.

    Raises:
        InputError: naming the setting.
    """

    batch_size: int = setting(
        32, SCHEDULE, unit="pairs", doc="B, pairs of a step", rule=whole(2, remedy=MORE_PAIRS), cost="step"
    )
    valid_batch_size: int = setting(
        16,
        SCHEDULE,
        unit="pairs",
        doc="pairs of a batch of the validation loss; give all sites the same, or their losses do not compare",
        rule=whole(2, remedy=MORE_PAIRS),
    )
    align_steps: int = setting(
        20, SCHEDULE, unit="steps", doc="T1, of the alignment phase; 0 leaves it out", rule=whole(0)
    )
    pretrain_steps: int = setting(50, SCHEDULE, unit="steps", doc="T2, of phase two", rule=whole(1))
    seed: int = setting(
        0,
        SCHEDULE,
        unit="number",
        doc="of the run; with the site's name and the round it decides all that is random at a site",
        rule=whole(0),
    )

    learning_rate: float = setting(1e-4, OPTIMIZER, unit="per step", doc="of AdamW, after the warm-up", rule=positive())
    align_learning_rate: float | None = setting(
        None,
        OPTIMIZER,
        unit="per step",
        doc="the same for the alignment phase; `null` takes `learning_rate`",
        rule=or_none(positive()),
    )
    weight_decay: float = setting(
        0.05, OPTIMIZER, unit="per step", doc="of AdamW, on matrices only", rule=not_negative()
    )
    warmup_steps: int = setting(
        5,
        OPTIMIZER,
        unit="steps",
        doc="at the start of each phase, while the learning rate grows from near 0",
        rule=whole(0),
    )
    max_grad_norm: float = setting(
        1.0, OPTIMIZER, unit="norm", doc="a gradient of a larger global norm is clipped to it", rule=positive()
    )

    binding_weight: float = setting(
        0.1, BINDING, unit="weight", doc="λ of the binding; 0 disables it", rule=not_negative(), cost="term", plain=0.0
    )
    binding_form: str = choice(
        BINDING,
        ("points", "similarity"),
        doc="`points` binds each embedding, `similarity` the image-text matching of a batch",
    )
    binding_schedule: str = choice(
        BINDING,
        ("constant", "warmup", "teacher"),
        doc="of λ: `constant`; `warmup`, linear from 0 in round 0; `teacher`, times the teacher's quality",
    )
    binding_warmup_rounds: int = setting(
        0, BINDING, unit="rounds", doc="after which a `warmup` reaches λ; at least 1 for it", rule=whole(0)
    )
    teacher_view: str = choice(
        BINDING,
        ("kept", "fresh"),
        doc="`kept`: the teacher embeds each sample once, without augmentation; `fresh`: it embeds each augmented "
        "batch, with a second model and one more forward pass",
        cost="step",
    )

    proximal_weight: float = setting(
        0.0,
        BASELINES,
        unit="weight",
        doc="μ of FedProx: adds μ/2 ‖θ − θ₀‖² in phase two; 0 disables it",
        rule=not_negative(),
        cost="term",
        plain=0.0,
    )
    moon_weight: float = setting(
        0.0,
        BASELINES,
        unit="weight",
        doc="μ of MOON's model-contrastive term in phase two; 0 disables it",
        rule=not_negative(),
        cost="term",
        plain=0.0,
    )
    moon_temperature: float = setting(0.5, BASELINES, unit="similarity", doc="τ of MOON's term", rule=positive())
    local_normalisation: bool = switch(
        BASELINES,
        doc="each site keeps its own batch norm (FedBN); the server's is their mean, for new sites",
        plain=False,
    )
    report_student_loss: bool = switch(
        BASELINES,
        doc="the site also validates the model that it trained; it reports `student_loss` in the next round",
        plain=False,
    )

    micro_batch_size: int = setting(
        0,
        HARDWARE,
        unit="pairs",
        doc="pairs whose activations are in memory at the same time, a divisor of `batch_size`; 0 for all",
        rule=whole(0),
        cost="step",
    )
    feature_memory_mb: int = setting(
        512,
        HARDWARE,
        unit="MiB",
        doc="for cached encoder outputs; the rest goes to a file",
        rule=whole(0),
    )
    precision: str = choice(
        HARDWARE,
        ("fp32", "bf16", "fp16", "auto"),
        doc="of the matrix products in the towers: `fp32`; `bf16` (processors and GPUs that have it); `fp16` with loss "
        "scaling, for older GPUs; `auto`: at each site `bf16` where its processor or GPU computes in it, else `fp32`",
        cost="step",
    )
    channels_last: bool = switch(
        HARDWARE, doc="memory layout for convolutional encoders on hardware that prefers it", cost="step"
    )
    gradient_checkpointing: bool = switch(
        HARDWARE, doc="Hugging Face encoders store one tensor a block and compute the rest again", cost="step"
    )
    compile_backend: str = choice(
        HARDWARE,
        ("none", "inductor", "aot_eager", "eager"),
        doc="of `torch.compile` in phase two; the first steps of a process compile; `inductor` needs a C++ compiler",
        cost="step",
    )
    threads: int = setting(
        0,
        HARDWARE,
        unit="threads",
        doc="of the CPU for this site, shared by its processes; 0 leaves `OMP_NUM_THREADS`, or all cores",
        rule=whole(0),
        cost="step",
    )
    processes: int = setting(
        1,
        HARDWARE,
        unit="processes",
        doc="that share a batch, one for each GPU, a divisor of `batch_size`; a site may set FEDAID_PROCESSES instead",
        rule=whole(1),
        cost="step",
    )
    workers: int = setting(
        0,
        HARDWARE,
        unit="processes",
        doc="that load and augment batches; 0 loads in the process that trains",
        rule=whole(0),
        cost="step",
    )
    training_process: str = choice(
        HARDWARE,
        ("child", "same"),
        doc="`child`: a process that trains beside that of the job, so that its end costs the site a round only; "
        "`same`: the process of the job. A simulation and an evaluation use `same`",
    )

    def __post_init__(self) -> None:
        check_settings(self, where=WHERE)
        self._check_shares()
        self._check_schedule()

    @property
    def pairs_at_once(self) -> int:
        """Pairs whose activations are in memory at the same time."""
        return self.micro_batch_size or self.batch_size

    def _check_shares(self) -> None:
        """Refuses parts of a batch that are not all of one size."""
        rule = f"divide batch_size {self.batch_size}"
        remedy = "Use a batch_size that is a multiple of the site's processes, or fewer of them."
        self._check("processes", self.batch_size % self.processes == 0, rule, remedy=remedy)
        fits = self.batch_size % self.pairs_at_once == 0 and self.pairs_at_once > 1
        remedy = "Use 0, or half, a quarter … of batch_size."
        self._check("micro_batch_size", fits, f"{rule} and be above 1", remedy=remedy)

    def _check_schedule(self) -> None:
        """Refuses a schedule of the binding that has no effect, or that needs a quality nobody measures."""
        waits = self.binding_schedule != "warmup" or self.binding_warmup_rounds > 0
        rule, remedy = "be at least 1 with binding_schedule warmup", "Set it, or use binding_schedule constant."
        self._check("binding_warmup_rounds", waits, rule, remedy=remedy)
        known = self.binding_schedule != "teacher" or self.teacher_view == "kept"
        remedy = "The quality is that of kept embeddings; use teacher_view kept or another schedule."
        self._check("teacher_view", known, "be kept with binding_schedule teacher", remedy=remedy)

    def _check(self, name: str, ok: bool, rule: str, *, remedy: str = CORRECT) -> None:
        require(ok, name, rule, got=getattr(self, name), where=WHERE, remedy=remedy)
