"""A photo encoder pretrained on a shop's own photos: it tells tags, lands near texts, or both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders import augment_photos
from huaxiang.encoders.export import fingerprint
from huaxiang.encoders.learning.base import Learnt, TrainerConfig, in_range, one_of
from huaxiang.encoders.named import model_folder
from huaxiang.encoders.pretraining.photo_products import PhotoProducts
from huaxiang.encoders.pretraining.photo_rows import MOST_BYTES, PhotoRows, hold_photos
from huaxiang.encoders.pretraining.photo_split import PhotoSplit, split_by_title
from huaxiang.errors import PhotoError, SettingsError, TooFewPhotosError
from huaxiang.training import require

if TYPE_CHECKING:
    from huaxiang.encoders.pretraining.photo_lesson import PhotoLesson, PhotoNetwork
    from huaxiang.encoders.pretraining.photo_networks import Backbone
    from huaxiang.encoders.pretraining.photo_tags import Vocabulary
    from huaxiang.encoders.pretraining.photo_words import Words

TRAINING = TrainerConfig(
    epochs=10, batch_rows=128, batch_tokens=128, learning_rate=1e-3, weight_decay=0.05, validations=5
)
Objective = Literal["contrastive", "tags", "tags+contrastive"]
Serve = Literal["auto", "shared", "features"]
Adversarial = Literal["none", "fgm", "pgd"]
Progress = Callable[[str, int, int, str], None]
FEWEST_PHOTOS = 32
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is taught, to which network.

    Parameters
    ----------
    from_scratch
        resnet18, resnet18_small, resnet50, inception_v3 or vit_small; None where `from_folder` is given.
    from_folder
        Hugging Face or Inception-v3 folder to go on from.
    height, width
        Of the pictures in pixels; None for what the network's kind takes.
    channels
        Of the first layer of a new network, ≥ 8 for a ResNet; None for the published number.
    text_encoder
        As `huaxiang build --text` takes it.
    tune_text
        Whether the text encoder is taught along; it must be "minilm" or a folder then.
    shared
        Dimensions of the space of photos and texts, ≥ 2.
    tag_weight
        Weight of the tags beside the texts, > 0.
    tag_loss
        "auto": one choice per dimension where no product has two values; "yes_or_no": each tag by itself.
    balance
        How much more rare tags count, 0 to 1: the power of their rarity.
    smoothing
        Share of a choice that is spread over all its values, 0 to below 1.
    fewest_of_a_tag
        Products of the training part that must have a tag for it to be told, ≥ 1.
    validation_share, test_share
        Of the titles; above 0, together below 1.
    most_found
        Products looked for among each other when retrieval is measured, ≥ 2.
    serve
        What `build` is served: "shared" (with texts) or "features"; "auto" is the first where there is one.
    most_bytes
        Of unpacked photos held in memory; above it they are unpacked whenever they are learnt. ≥ 0.
    adversarial
        Learn each batch once more, its pixels moved against the network: "fgm" in one step, "pgd" in three.
    epsilon
        Most that a colour of a pixel is moved, of the way from black (0) to white (1); > 0.
    attacked
        Photos of the test part that are attacked in the end (PGD, 10 steps), to see what is left; ≥ 0.
    augment, training
        How photos are changed; how long and fast is learnt.
    """

    objective: Objective = "tags+contrastive"
    from_scratch: str | None = "resnet18"
    from_folder: str | None = None
    height: int | None = None
    width: int | None = None
    channels: int | None = None
    text_encoder: str = "minilm"
    tune_text: bool = False
    shared: int = 256
    tag_weight: float = 1.0
    tag_loss: Literal["auto", "yes_or_no"] = "auto"
    balance: float = 0.25
    smoothing: float = 0.05
    fewest_of_a_tag: int = 5
    validation_share: float = 0.05
    test_share: float = 0.15
    most_found: int = 4000
    serve: Serve = "auto"
    most_bytes: int = MOST_BYTES
    adversarial: Adversarial = "none"
    epsilon: float = 4 / 255
    attacked: int = 0
    augment: augment_photos.Config = field(default_factory=augment_photos.Config)
    training: TrainerConfig = TRAINING

    def __post_init__(self) -> None:
        for name, allowed in (("objective", Objective), ("serve", Serve)):
            one_of(name, getattr(self, name), get_args(allowed))
        one_of("tag_loss", self.tag_loss, ("auto", "yes_or_no"))
        one_of("adversarial", self.adversarial, get_args(Adversarial))
        shares = self.validation_share + self.test_share
        ranges = {
            "shared": (self.shared >= 2, "2 or more"),
            "tag_weight": (self.tag_weight > 0, "a number above 0"),
            "balance": (0 <= self.balance <= 1, "0 to 1"),
            "smoothing": (0 <= self.smoothing < 1, "0 to below 1"),
            "fewest_of_a_tag": (self.fewest_of_a_tag >= 1, "1 or more"),
            "validation_share": (self.validation_share > 0 and shares < 1, "shares that leave some to learn"),
            "test_share": (self.test_share > 0, "a share above 0"),
            "most_found": (self.most_found >= 2, "2 or more"),
            "most_bytes": (self.most_bytes >= 0, "0 or more"),
            "epsilon": (0 < self.epsilon <= 1, "above 0, up to 1"),
            "attacked": (self.attacked >= 0, "0 or more"),
        }
        for name, (is_allowed, allowed_range) in ranges.items():
            in_range(name, getattr(self, name), is_allowed, allowed_range)
        self._check_together()

    def _check_together(self) -> None:
        if (self.from_scratch is None) == (self.from_folder is None):
            remedy = "give either --from FOLDER or --from-scratch NAME"
            raise SettingsError("one network is needed", column="--from", remedy=remedy)
        if (self.height is None) != (self.width is None):
            raise SettingsError("size is half given", column="--size", remedy="write it as 60x80 or 96")
        if self.has_texts and (self.augment.mixup or self.augment.cutmix):
            remedy = "use --objective tags, or leave mixup and cutmix at 0"
            raise SettingsError("mixed photos have no text", column="augment", remedy=remedy)
        if self.attacked and not self.has_tags:
            remedy = "use --objective tags, or leave attacked at 0"
            raise SettingsError("only tags are asked under attack", column="attacked", remedy=remedy)
        if self.serve == "shared" and not self.has_texts:
            remedy = "use --objective contrastive, or serve features"
            raise SettingsError("there is no shared space without texts", column="serve", remedy=remedy)

    @property
    def has_tags(self) -> bool:
        """Whether tags are taught."""
        return "tags" in self.objective

    @property
    def has_texts(self) -> bool:
        """Whether texts are taught."""
        return "contrastive" in self.objective

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width."""
        return None if self.height is None or self.width is None else (self.height, self.width)

    @property
    def served(self) -> str:
        """What `build` is served."""
        return ("shared" if self.has_texts else "features") if self.serve == "auto" else self.serve


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """How it went.

    Parameters
    ----------
    metrics
        `validation`, `test` (products nobody learnt from) and `untrained` (the same, before).
    rows
        How many products were learnt from, and why others were not.
    held_out
        Item ids of the `validation` and `test` parts, for whatever is taught next to leave out too.
    left_out
        Item id, photo and reason of each photo that couldn't be read.
    """

    learnt: Learnt
    metrics: Mapping[str, Mapping[str, float]]
    rows: Mapping[str, int]
    held_out: Mapping[str, Sequence[str]]
    left_out: tuple[tuple[str, str, str], ...]
    n_parameters: int


def pretrain_image(
    products: PhotoProducts,
    folder: Path,
    *,
    config: Config,
    cache: Path,
    seed: int = 0,
    skip_missing: bool = False,
    progress: Progress | None = None,
) -> Pretrained:
    """Teach a photo encoder the products' tags and texts, write it into `folder`, and return how it went.

    A stopped fit goes on from `folder / "checkpoints"` when called again with the same products, settings and
    seed.

    Parameters
    ----------
    folder
        Made if need be. Settings, curves and card are the caller's to add.
    cache
        Where exported text encoders are kept.
    skip_missing
        Whether photos that are missing or broken are left out; else they are an error.

    Raises
    ------
    PhotoError
        Photos are missing or broken, and not to be left out; its `remedy` counts and names some.
    TooFewPhotosError
        Fewer than 32 products are left to learn from.
    EncoderError
        A network or text encoder can't be used.
    ShopError
        There are no tags to tell.
    """
    require("torch", "transformers", "accelerate", "onnx")
    from huaxiang.encoders.learning.trainer import train_large
    from huaxiang.encoders.pretraining.photo_attack import attack_of, attacked_figures
    from huaxiang.encoders.pretraining.photo_figures import BEST, photo_figures, watched
    from huaxiang.encoders.pretraining.photo_folder import write_photo_model

    tell = progress or (lambda stage, done, total, note: None)
    backbone = _backbone(config, seed)
    photos = hold_photos(
        products.photo,
        len(products),
        backbone.preprocessing,
        most_bytes=config.most_bytes,
        progress=lambda *told: tell("read the photos", *told),
    )
    left_out = left_out_of(products, photos)
    if left_out and not skip_missing:
        raise missing_photos(left_out, n=len(products))
    words = _words(products, config, cache, tell)
    usable = _usable(products, photos, words, config)
    split = _split(products, usable, config, seed)
    vocabulary, lesson = _lesson(products, photos, split, words, config)
    network = _network(backbone, lesson, vocabulary, words, config, seed)

    def ask(rows: NDArray[np.int64], stage: str) -> dict[str, float]:
        return _asked(network, lesson, rows, config, lambda *told: tell(stage, *told))

    untrained = ask(split.test, "ask the untrained network")
    shown = backbone.preprocessing
    with attack_of(network, shown, way=config.adversarial, epsilon=config.epsilon) as attack:
        learnt = train_large(
            network,
            lesson,
            config=config.training,
            checkpoint=folder / "checkpoints" / "photos",
            seed=seed,
            validate=lambda: watched(
                photo_figures(network, lesson, split.validation, most_found=config.most_found)
            ),
            best=BEST,
            of=_of(products, config, seed),
            attack=attack,
            progress=lambda *told: tell("learn", *told),
        )
    attacked: dict[str, float] = {}
    if config.attacked:
        attacked = attacked_figures(
            network,
            lesson,
            shown,
            split.test,
            epsilon=config.epsilon,
            most=config.attacked,
            seed=seed,
            progress=lambda *told: tell("attack unseen photos", *told),
        )
    metrics = {
        "test": ask(split.test, "ask about unseen products") | attacked,
        "validation": ask(split.validation, "ask about held-out products"),
        "untrained": untrained,
    }
    write_photo_model(folder, network, backbone, words, name=f"{backbone.kind}-shop", serve=config.served)
    return Pretrained(
        learnt=learnt,
        metrics=metrics,
        rows=_counted(products, photos, usable, split),
        held_out={
            name: [products.item_ids[row] for row in rows]
            for name, rows in (("validation", split.validation), ("test", split.test))
        },
        left_out=left_out,
        n_parameters=sum(weight.numel() for weight in network.backbone.parameters()),
    )


def left_out_of(products: PhotoProducts, photos: PhotoRows) -> tuple[tuple[str, str, str], ...]:
    """Return item id, photo and reason of each photo that can't be read."""
    return tuple(
        (products.item_ids[row], products.names[row] or "", str(reason))
        for row, reason in sorted(photos.problems.items())
    )


def missing_photos(left_out: tuple[tuple[str, str, str], ...], *, n: int) -> PhotoError:
    """Return the error that counts what is wrong with photos, and names the first few."""
    reasons = [reason for *_, reason in left_out]
    counted = ", ".join(f"{reasons.count(reason)} {reason}" for reason in dict.fromkeys(reasons))
    names = ", ".join(name for _, name, _ in left_out[:_SHOWN])
    more = f" and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    return PhotoError(
        f"{len(left_out)} of {n} photos can't be used ({counted})",
        code="photos_missing",
        value=names + more,
        remedy="put them there, or leave them out with --skip-missing",
    )


def _backbone(config: Config, seed: int) -> Backbone:
    from huaxiang.encoders.pretraining.photo_networks import load_backbone, new_backbone

    if config.from_folder is not None:
        return load_backbone(model_folder(config.from_folder), size=config.size)
    assert config.from_scratch is not None
    return new_backbone(config.from_scratch, size=config.size, width=config.channels, seed=seed)


def _words(products: PhotoProducts, config: Config, cache: Path, tell: Progress) -> Words | None:
    from huaxiang.encoders.pretraining.photo_words import words_of

    if not config.has_texts:
        return None
    return words_of(
        products.texts,
        encoder=config.text_encoder,
        is_taught=config.tune_text,
        cache=cache,
        progress=lambda *told: tell("read the texts", *told),
    )


def _usable(
    products: PhotoProducts, photos: PhotoRows, words: Words | None, config: Config
) -> NDArray[np.int64]:
    """Return the products with a photo and what is taught of it."""
    is_usable = np.zeros(len(products), np.bool_)
    is_usable[photos.rows] = True
    if words is not None:
        is_usable &= words.described()
    else:
        is_usable &= np.array([bool(tags) for tags in products.tags], np.bool_)
    return np.flatnonzero(is_usable)


def _split(products: PhotoProducts, usable: NDArray[np.int64], config: Config, seed: int) -> PhotoSplit:
    titles = [products.titles[row] for row in usable]
    parts = split_by_title(
        titles, validation_share=config.validation_share, test_share=config.test_share, seed=seed
    )
    train, validation, test = (usable[part] for part in (parts.train, parts.validation, parts.test))
    if len(train) % config.training.batch_rows == 1:
        train = train[:-1]  # a batch of one photo has no spread to normalise by
    if len(train) < FEWEST_PHOTOS or len(validation) < 2 or len(test) < 2:
        what = "texts" if config.has_texts else "tags"
        remedy = f"at least {FEWEST_PHOTOS} with a photo and {what} are needed to learn, and two on each side"
        value = f"{len(train)} to learn, {len(validation)} and {len(test)} held out"
        raise TooFewPhotosError("too few photos to learn from", value=value, remedy=remedy)
    return PhotoSplit(train, validation, test)


def _lesson(
    products: PhotoProducts, photos: PhotoRows, split: PhotoSplit, words: Words | None, config: Config
) -> tuple[Vocabulary | None, PhotoLesson]:
    from huaxiang.encoders.pretraining.photo_lesson import PhotoLesson
    from huaxiang.encoders.pretraining.photo_tags import vocabulary_of

    vocabulary = None
    if config.has_tags:
        learnt = [products.tags[row] for row in split.train]
        vocabulary = vocabulary_of(learnt, fewest=config.fewest_of_a_tag, loss=config.tag_loss)
    lesson = PhotoLesson(
        photos=photos,
        rows=split.train,
        augment=config.augment,
        vocabulary=vocabulary,
        stated=products.tags,
        words=words,
    )
    return vocabulary, lesson


def _network(
    backbone: Backbone,
    lesson: PhotoLesson,
    vocabulary: Vocabulary | None,
    words: Words | None,
    config: Config,
    seed: int,
) -> PhotoNetwork:
    import torch

    from huaxiang.encoders.pretraining.photo_lesson import PhotoNetwork
    from huaxiang.encoders.pretraining.photo_tags import TagLesson, tag_weights

    tags = None
    if vocabulary is not None:
        matrix = vocabulary.matrix([lesson.stated[row] for row in lesson.rows])
        weights = tag_weights(matrix, vocabulary, balance=config.balance)
        tags = TagLesson(vocabulary, weights, smoothing=config.smoothing)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PhotoNetwork(
            backbone, tags=tags, words=words, shared=config.shared, tag_weight=config.tag_weight
        )
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _asked(
    network: PhotoNetwork,
    lesson: PhotoLesson,
    rows: NDArray[np.int64],
    config: Config,
    progress: Callable[[int, int, str], None],
) -> dict[str, float]:
    import torch

    from huaxiang.encoders.pretraining.photo_figures import photo_figures

    network.eval()
    with torch.inference_mode():
        return photo_figures(network, lesson, rows, most_found=config.most_found, progress=progress)


def _of(products: PhotoProducts, config: Config, seed: int) -> str:
    begun_from = fingerprint(model_folder(config.from_folder)) if config.from_folder else ""
    said = json.dumps([products.fingerprint, asdict(config), seed, begun_from], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _counted(
    products: PhotoProducts, photos: PhotoRows, usable: NDArray[np.int64], split: PhotoSplit
) -> dict[str, Any]:
    n_named = sum(name is not None for name in products.names)
    return {
        "products": len(products),
        "without_photo": len(products) - n_named,
        "photo_left_out": len(photos.problems),
        "nothing_to_teach": len(photos.rows) - len(usable),
        "learnt": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
    }
