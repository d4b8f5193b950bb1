"""The binding regularizer in two forms: the distance of a student from the ideal alignment."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from fedaid.losses.contrastive import similarity


def binding_loss(
    image_embeddings: Tensor, text_embeddings: Tensor, teacher_image_embeddings: Tensor, teacher_text_embeddings: Tensor
) -> Tensor:
    """Mean over the batch of the squared distance of student and teacher embeddings, image plus text.

    All four have shape (B, D) and unit norm. No gradient may flow to the teacher: pass its embeddings detached.

    Returns:
        Scalar in [0, 8]: each squared distance of two unit vectors is at most 4.

    Raises:
        ValueError: if the shapes differ.

    Source: R(θ; T) of arXiv:2404.03854. Summed over D; the released code averages over D, which is D times weaker.
    """
    require_one_shape(image_embeddings, text_embeddings, teacher_image_embeddings, teacher_text_embeddings)
    image_distance = (image_embeddings - teacher_image_embeddings).square().sum(dim=1)
    text_distance = (text_embeddings - teacher_text_embeddings).square().sum(dim=1)
    return (image_distance + text_distance).mean()


def similarity_binding_loss(
    image_embeddings: Tensor,
    text_embeddings: Tensor,
    teacher_image_embeddings: Tensor,
    teacher_text_embeddings: Tensor,
    *,
    logit_scale: Tensor,
) -> Tensor:
    """Divergence of the student's image-text similarities from the teacher's; binds similarities instead of positions.

    The similarities of an image are a softmax over the texts of the batch, those of a text a softmax over the images.
    The result is the Kullback-Leibler divergence, averaged over rows and both directions. A rotation of the whole space
    does not change it.

    Args:
        image_embeddings: of the student; all four are unit-norm and of shape (B, D).
        text_embeddings: of the student.
        teacher_image_embeddings: detached.
        teacher_text_embeddings: detached.
        logit_scale: scalar, detached, of the teacher; used for both, so that the student's temperature has no effect.

    Returns:
        Scalar in nats, at least 0.

    Raises:
        ValueError: if the shapes differ.

    Source: contrastive relational distillation of CLIP-KD, arXiv:2307.12732, as released, except that there the student
    has its own temperature. Similarities in place of points, as in arXiv:1907.09682.
    """
    require_one_shape(image_embeddings, text_embeddings, teacher_image_embeddings, teacher_text_embeddings)
    student = logit_scale * similarity(image_embeddings, text_embeddings)
    teacher = logit_scale * similarity(teacher_image_embeddings, teacher_text_embeddings)
    return ((divergence(student, teacher) + divergence(student.T, teacher.T)) / 2).clamp(
        min=0
    )  # rounding may give less


def divergence(logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """KL(teacher ‖ student) of the softmax of each row, (B, M) both; the mean over rows, a scalar in nats."""
    student, teacher = (functional.log_softmax(one, dim=1) for one in (logits, teacher_logits))
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


def require_one_shape(*embeddings: Tensor) -> None:
    """An error for embeddings of different shapes."""
    shapes = [tuple(one.shape) for one in embeddings]
    if len(set(shapes)) != 1:
        raise ValueError(
            f"embeddings must have one shape (B, D), got {shapes}: binding_loss. Embed the same batch twice."
        )
