"""Draw the picture of README.md, first.jpg.

`python notebooks/pictures/first.py` asks mini, `… first.py truth` asks nobody.

With `truth` it shows a perfect model's answers, which the drawn scenes know. The alt text in README.md says
which of the two it is.
"""

import sys
from pathlib import Path

import florence_nb as fnb
from florence_nb.scenes import GALLERY

QUESTIONS = (
    ("<DENSE_REGION_CAPTION>", "harbour", None),
    ("<REFERRING_EXPRESSION_SEGMENTATION>", "kitchen", "the white rabbit"),
    ("<OCR_WITH_REGION>", "signs", None),
)


def perfect(task: str, name: str, text_input: str | None) -> fnb.Answer:
    scene = GALLERY[name]
    answer = fnb.parse(scene.answer(task, text_input), task, scene.image.size)
    answer.image, answer.text_input = scene.image, text_input
    return answer


ask = perfect if sys.argv[1:] == ["truth"] else fnb.load("mini", quiet=True).run_example
picture = fnb.show_all([ask(*question) for question in QUESTIONS], columns=3, width=960)
picture.save(Path(__file__).with_suffix(".jpg"), quality=88, optimize=True)
