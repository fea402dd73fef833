/** Wide in a terminal: CJK, Hangul, full-width forms, and what is shown as an emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const combining = /^\p{M}$/u;

/** Columns a text takes in a terminal. The text must be escaped already. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (character <= "\u007e") width += 1;
    else if (!combining.test(character)) width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** The text, cut to at most `width` columns with an ellipsis where something is missing. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let result = "";
  let used = 0;
  for (const character of text) {
    const more = textWidth(character);
    if (used + more > width - 1) break;
    result += character;
    used += more;
  }
  return `${result}\u2026`;
}
