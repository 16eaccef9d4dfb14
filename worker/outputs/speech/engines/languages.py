"""What engines call a language, as BCP 47: OpenAI's endpoint answers with English names."""

_CODES = {
    "arabic": "ar", "bulgarian": "bg", "cantonese": "yue", "catalan": "ca", "chinese": "zh", "croatian": "hr",
    "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi", "french": "fr",
    "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id",
    "italian": "it", "japanese": "ja", "korean": "ko", "latvian": "lv", "lithuanian": "lt", "malay": "ms",
    "mandarin": "zh", "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt", "romanian": "ro",
    "russian": "ru", "serbian": "sr", "slovak": "sk", "slovenian": "sl", "spanish": "es", "swedish": "sv",
    "tagalog": "tl", "tamil": "ta", "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur",
    "vietnamese": "vi", "welsh": "cy",
}  # fmt: skip


def language_code(name: str | None) -> str | None:
    """The code of a language's name; a code, or an unknown name, comes back in lower case, and nothing as None."""
    lower = (name or "").strip().lower()
    return _CODES.get(lower, lower) or None


def primary_subtag(tag: str) -> str:
    """The language itself of a BCP 47 tag, in lower case: `pt` of `pt-BR`."""
    return tag.partition("-")[0].lower()
