"""Published encoders as tiny models of the same type and layout, written with the classes of transformers.

Names are of the Hugging Face hub. Nothing is downloaded: a fake has the published model's type, options that change its
computation, kind of tokenizer, casing, layout of files, and scale of grey values, but small sizes and random weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast, SiglipTextModel

from fedaid.models.hugging_face import TRANSFORMERS

SENTENCES = ["Lungs are clear.", "No pleural effusion.", "The heart is enlarged.", "café ÉCG 2 cm"] * 20
SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
DISTIL = {"dim": 16, "hidden_dim": 24, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 64}
PATCHES = SIZES | {"image_size": 32, "patch_size": 8}
DINO = {name: value for name, value in PATCHES.items() if name != "intermediate_size"}
STAGES = {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4, "image_size": 32, "patch_size": 4}
DEBERTA = {
    "relative_attention": True,
    "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
    "type_vocab_size": 0,
}
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF = ([0.5] * 3, [0.5] * 3)
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
Write = Callable[[Path], int]
"""Writes a tokenizer into a folder and returns its number of tokens."""


def words(*, cased: bool, alone: bool = False, stated: bool = True) -> Write:
    """WordPiece: ``vocab.txt`` with or without ``tokenizer_config.json``, or what transformers 5 writes."""

    def write(folder: Path) -> int:
        wordpiece = models.WordPiece(unk_token="[UNK]")  # noqa: S106
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        tokenizer = Tokenizer(wordpiece)
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not cased)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=90, special_tokens=special))
        ends = [("[CLS]", 2), ("[SEP]", 3)]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
        if not alone:
            return saved(tokenizer, folder, special, do_lower_case=not cased, tokenizer_class="BertTokenizer")
        vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.token_to_id)
        (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        if stated:
            (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": not cased}))
        return len(vocabulary)

    return write


def byte_pairs(*, alone: bool = False, ends_last: bool = False) -> Write:
    """Byte-level BPE as RoBERTa's: ``vocab.json`` with ``merges.txt`` alone, or what transformers 5 writes.

    CLIP's start and end have the two highest ids.
    """

    def write(folder: Path) -> int:
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet)
        tokenizer.train_from_iterator(SENTENCES, trainer)
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
        if ends_last:
            tokenizer.add_special_tokens(["<start>", "<end>"])
            ends = [(token, tokenizer.token_to_id(token)) for token in ("<start>", "<end>")]
            tokenizer.post_processor = processors.TemplateProcessing(single="<start> $A <end>", special_tokens=ends)
            return saved(
                tokenizer,
                folder,
                ["<start>", "<end>"],
                tokenizer_class="PreTrainedTokenizerFast",
                pad_token="<end>",  # noqa: S106
            )
        if not alone:
            return saved(tokenizer, folder, special, tokenizer_class="RobertaTokenizer")
        tokenizer.model.save(str(folder))
        return tokenizer.get_vocab_size()

    return write


def unigram(*, ends: bool = True) -> Write:
    """Unigram as XLM-R's or SigLIP's, as transformers 5 writes it."""

    def write(folder: Path) -> int:
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=80, special_tokens=special, unk_token="<unk>")  # noqa: S106
        tokenizer.train_from_iterator(SENTENCES, trainer)
        single = "<s> $A </s>" if ends else "$A </s>"
        given = [("<s>", 0), ("</s>", 2)] if ends else [("</s>", 2)]
        tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=given)
        return saved(tokenizer, folder, special, tokenizer_class="PreTrainedTokenizerFast")

    return write


def words_of_spm(folder: Path) -> int:
    """The file of another library, without ``tokenizer.json``."""
    (folder / "spm.model").write_bytes(b"\x00")
    return 80


def saved(tokenizer: Tokenizer, folder: Path, special: Iterable[str], **settings: Any) -> int:
    """Writes ``tokenizer.json`` and ``tokenizer_config.json``."""
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, additional_special_tokens=list(special))
    fast.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    return tokenizer.get_vocab_size()


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published encoder.

    Attributes:
        name: on the hub.
        tower: ``image`` or ``text``.
        model_type: in its ``config.json``.
        options: of its configuration that matter here, with small sizes.
        tokenizer: writes its tokenizer.
        scale: mean and deviation in its ``preprocessor_config.json``.
        refused: a part of the message that it must give; empty if it loads.
        pooling: how its features become one vector.
        sentences: what ``1_Pooling/config.json`` of sentence-transformers states; empty if it has no such file.
        extra: further entries of its ``config.json``.
    """

    name: str
    tower: str
    model_type: str
    options: dict[str, Any] = field(default_factory=dict)
    tokenizer: Write | None = None
    scale: tuple[list[float], list[float]] | None = None
    refused: str = ""
    pooling: str = "mean"
    sentences: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def declared(self) -> str:
        """The ``model_type`` of its ``config.json``."""
        return str(self.extra.get("model_type", self.model_type))

    def write(self, folder: Path) -> Any:
        """Write the fake; returns the reference model."""
        folder.mkdir(parents=True)
        sizes = {"vocab_size": self.tokenizer(folder)} if self.tokenizer else {}
        options = (SIZES | {"max_position_embeddings": 64} if self.tower == "text" else PATCHES) | sizes
        options = self.options | sizes if "replace" in self.extra else options | self.options
        config = AutoConfig.for_model(self.model_type, **options)
        torch.manual_seed(3)
        bare = self.model_type == "siglip_text_model"
        model = (SiglipTextModel._from_config(config) if bare else AutoModel.from_config(config)).eval()
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "norm" in name:  # so that a lost bias or norm is seen
                parameter.data.add_(torch.randn_like(parameter) * 0.1)
        model.save_pretrained(folder)
        if self.scale:
            processor = {"image_mean": self.scale[0], "image_std": self.scale[1], "rescale_factor": 1 / 255}
            (folder / "preprocessor_config.json").write_text(json.dumps(processor))
        if self.sentences:
            (folder / "1_Pooling").mkdir()
            stated = {
                f"pooling_mode_{name}": name == self.sentences for name in ("cls_token", "mean_tokens", "max_tokens")
            }
            (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 16} | stated))
        facts = {name: value for name, value in self.extra.items() if name != "replace"}
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | facts))
        return model


def text(name: str, model_type: str, tokenizer: Write, **more: Any) -> Published:
    """A published text encoder."""
    return Published(name=name, tower="text", model_type=model_type, tokenizer=tokenizer, **more)


def image(name: str, model_type: str, scale: Any, options: dict[str, Any] | None = None, **more: Any) -> Published:
    """A published image encoder; ``options`` replace the usual ones."""
    extra = more.pop("extra", {}) | ({"replace": True} if options else {})
    return Published(
        name=name, tower="image", model_type=model_type, scale=scale, options=options or {}, extra=extra, **more
    )


def coded(name: str, kind: str) -> Published:
    """A model of a type that only its own code knows."""
    extra = {"auto_map": {"AutoModel": "modeling.Model"}, "model_type": kind}
    return text(name, "bert", words(cased=False), extra=extra, refused="auto_map")


GROUPED = {"num_key_value_heads": 2}
CAMEMBERT = "almanach/camembert-base"
PUBLISHED = (
    text("google-bert/bert-base-uncased", "bert", words(cased=False)),
    text("google-bert/bert-base-cased", "bert", words(cased=True)),
    text("microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract", "bert", words(cased=False, alone=True)),
    text("allenai/scibert_scivocab_uncased", "bert", words(cased=False, alone=True, stated=False)),
    text("cambridgeltl/SapBERT-from-PubMedBERT-fulltext", "bert", words(cased=False)),
    text("dmis-lab/biobert-v1.1", "bert", words(cased=True, alone=True)),
    text(
        "emilyalsentzer/Bio_ClinicalBERT",
        "bert",
        words(cased=True, alone=True, stated=False),
        refused="Write do_lower_case to tokenizer_config.json",
    ),
    text("FacebookAI/roberta-base", "roberta", byte_pairs(), options={"pad_token_id": 1}),
    text("allenai/biomed_roberta_base", "roberta", byte_pairs(alone=True), options={"pad_token_id": 1}),
    text("zzxslp/RadBERT-RoBERTa-4m", "roberta", byte_pairs(), options={"pad_token_id": 1}),
    text("google/electra-small-discriminator", "electra", words(cased=False), options={"embedding_size": 8}),
    text("distilbert/distilbert-base-uncased", "distilbert", words(cased=False), options=DISTIL),
    text("medicalai/ClinicalBERT", "distilbert", words(cased=True), options=DISTIL),
    text(
        "answerdotai/ModernBERT-base",
        "modernbert",
        byte_pairs(),
        options={"pad_token_id": 1, "local_attention": 8, "classifier_pooling": "mean"},
    ),
    text(
        "thomas-sounack/BioClinical-ModernBERT-base",
        "modernbert",
        byte_pairs(),
        options={"pad_token_id": 1, "classifier_pooling": "mean"},
    ),
    text("a ModernBERT that states nothing", "modernbert", byte_pairs(), options={"pad_token_id": 1}, pooling="class"),
    text("microsoft/deberta-v3-base", "deberta-v2", words_of_spm, options=DEBERTA, refused="has tokenizer.json"),
    text("microsoft/deberta-v3-base, its tokenizer saved anew", "deberta-v2", unigram(), options=DEBERTA),
    text(
        "sentence-transformers/all-mpnet-base-v2",
        "mpnet",
        words(cased=False),
        options={"pad_token_id": 1},
        sentences="mean_tokens",
    ),
    text("BAAI/bge-base-en-v1.5", "bert", words(cased=False), sentences="cls_token", pooling="class"),
    text("UFNLP/gatortron-base", "megatron-bert", words(cased=False)),
    text("FacebookAI/xlm-roberta-base", "xlm-roberta", unigram(), options={"pad_token_id": 1}),
    text(CAMEMBERT, "camembert", unigram(), options={"pad_token_id": 1}),
    text("almanach/camembert-bio-base", "camembert", unigram(), options={"pad_token_id": 1}),
    text(
        "openai/clip-vit-base-patch32, its text tower",
        "clip_text_model",
        byte_pairs(ends_last=True),
        options={"eos_token_id": 2},
        pooling="last",
    ),
    text("google/siglip-base-patch16-224, its text tower", "siglip_text_model", unigram(ends=False), pooling="last"),
    coded("microsoft/BiomedVLP-CXR-BERT-specialized", "cxr-bert"),
    coded("nomic-ai/nomic-bert-2048", "nomic_bert"),
    text("BioMistral/BioMistral-7B", "mistral", unigram(), options=GROUPED, refused="name a known encoder"),
    text("google-t5/t5-small", "t5", unigram(), extra={"replace": True}, refused="name a known encoder"),
    image("microsoft/rad-dino", "dinov2", ([0.5307] * 3, [0.2583] * 3), pooling="class"),
    image("microsoft/rad-dino-maira-2", "dinov2", ([0.5307] * 3, [0.2583] * 3), pooling="class"),
    image("facebook/dinov2-base", "dinov2", IMAGENET, pooling="class"),
    image("facebook/dinov2-with-registers-base", "dinov2_with_registers", IMAGENET, pooling="class"),
    image("facebook/dinov3-vitb16-pretrain-lvd1689m", "dinov3_vit", IMAGENET, pooling="class"),
    image("google/vit-base-patch16-224-in21k", "vit", HALF, pooling="class"),
    image("facebook/deit-base-distilled-patch16-224", "deit", IMAGENET, pooling="class"),
    image("microsoft/beit-base-patch16-224", "beit", HALF, pooling="patches"),
    image("microsoft/swin-base-patch4-window7-224", "swin", IMAGENET, STAGES),
    image("microsoft/swinv2-base-patch4-window8-256", "swinv2", IMAGENET, STAGES),
    image(
        "facebook/convnext-base-224", "convnext", IMAGENET, {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}
    ),
    image(
        "facebook/convnextv2-base-22k-224",
        "convnextv2",
        IMAGENET,
        {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    ),
    image("microsoft/resnet-50", "resnet", IMAGENET, {"embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 1]}),
    image("openai/clip-vit-base-patch32, its image tower", "clip_vision_model", CLIP, pooling="class"),
    image("google/siglip-base-patch16-224, its image tower", "siglip_vision_model", HALF, pooling="attention"),
    image("google/medsiglip-448, its image tower", "siglip_vision_model", HALF, pooling="attention"),
    coded("StanfordAIMI/CheXagent-8b", "chexagent"),
    image("facebook/levit-128S", "levit", IMAGENET, {"image_size": 32}, refused="name a known encoder"),
    image("a folder without preprocessor_config.json", "vit", None, refused="have a preprocessor_config.json"),
)
"""Each with what becomes of it; docs/model.md shows the same table, and below it those that need an import."""


def table() -> str:
    """The table of docs/model.md."""
    head = ["| encoder | type | answer | alignment module | pooling |", "|---|---|---|---|---|"]
    rows = [
        f"| {one.name} | `{one.declared}` | {answer(one)} | {alignment(one)} | {'' if one.refused else one.pooling} |"
        for one in PUBLISHED
    ]
    return "\n".join([*head, *rows]) + "\n"


def answer(one: Published) -> str:
    """What becomes of an encoder, in words."""
    return f"refused: {one.refused}" if one.refused else "loads"


def alignment(one: Published) -> str:
    """What the alignment module has before its projection head."""
    if one.refused:
        return ""
    if one.model_type in TRANSFORMERS:
        return "last layer"
    return "nothing" if one.tower == "text" else "added block"
