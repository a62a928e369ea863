// The challenge of the minute: three ways to fool the model, judged by the truth of the scene. Each `judge` says whether it is done,
// and why not yet.
import { sceneNamed } from "./scene.js";

const SEEN = 0.6; // of the thing that is to be missed
const WIDE = 24; // pixels

export const CHALLENGES = [
  {
    name: "miss", title: "Make it miss the house", say: "Turn, shrink, cover or recolour it: the house must still be plain to see for you.", task: "<OD>",
    scene: () => sceneNamed("street"),
    judge({ drawn, judged }) {
      const house = drawn.seen.find(({ thing }) => thing.kind === "house");
      if (!house) return "There must be a house in the picture.";
      if (house.share < SEEN) return `Only ${Math.round(100 * house.share)} % of the house can be seen; ${100 * SEEN} % must be.`;
      if (Math.min(house.box[2] - house.box[0], house.box[3] - house.box[1]) < WIDE) return `The house must be at least ${WIDE} pixels wide and high.`;
      return judged.matches.some(({ name, verdict }) => name === "house" && verdict === "found") ? "It still finds the house." : "";
    },
  },
  {
    name: "invent", title: "Make it see what is not there", say: "It must name a kind of thing that is nowhere in your picture.", task: "<OD>",
    scene: () => sceneNamed("meadow"),
    judge({ drawn, answer }) {
      const there = new Set(drawn.seen.map(({ thing }) => thing.kind)), invented = answer.labels.find((label) => label && !there.has(label));
      return invented ? "" : "Everything that it named is there.";
    },
  },
  {
    name: "misread", title: "Make it misread a sign", say: "All letters must be in the picture and uncovered, and the sign at least 60 pixels wide.", task: "<OCR_WITH_REGION>",
    scene: () => sceneNamed("signs"),
    judge({ drawn, judged }) {
      const signs = drawn.seen.filter(({ quads }) => quads.length), fair = signs.filter((sign) => sign.box[2] - sign.box[0] >= 60 && sign.letters.every((letter) => shows(drawn, sign, letter)));
      if (!fair.length) return signs.length ? "No sign is wide enough and uncovered." : "There must be a sign.";
      const read = judged.matches.filter(({ verdict }) => verdict === "found" || verdict === "misplaced").map(({ name }) => name);
      return fair.some(({ thing }) => thing.text.split("\n").some((line) => !read.includes(line))) ? "" : "It read every sign.";
    },
  },
];

function shows({ map, size: [width, height] }, { index }, [x, y]) {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  return column >= 0 && row >= 0 && column < width && row < height && map[row * width + column] === index + 1;
}
