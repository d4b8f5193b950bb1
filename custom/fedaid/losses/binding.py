"""The binding regularizer: how far a student has moved from the ideal alignment."""

from __future__ import annotations

from torch import Tensor


def binding_loss(
    image_embeddings: Tensor, text_embeddings: Tensor, teacher_image_embeddings: Tensor, teacher_text_embeddings: Tensor
) -> Tensor:
    """Mean over the batch of the squared distance of student and teacher embeddings, image plus text.

    All four have shape (B, D) and unit norm. No gradient may flow to the teacher: pass its embeddings detached.

    Returns:
        Scalar in [0, 8]: each squared distance of two unit vectors is at most 4.

    Raises:
        ValueError: if the shapes differ.

    Source: R(θ; T) of arXiv:2404.03854. Summed over D; as released it is averaged, which makes it D times weaker.
    """
    four = (image_embeddings, text_embeddings, teacher_image_embeddings, teacher_text_embeddings)
    shapes = [tuple(embeddings.shape) for embeddings in four]
    if len(set(shapes)) != 1:
        raise ValueError(
            f"embeddings must have one shape (B, D), got {shapes}: binding_loss. Embed the same batch twice."
        )
    image_distance = (image_embeddings - teacher_image_embeddings).square().sum(dim=1)
    text_distance = (text_embeddings - teacher_text_embeddings).square().sum(dim=1)
    return (image_distance + text_distance).mean()
