import assert from "node:assert/strict";
import { Screen } from "./screen.ts";

function screen(terminal: boolean) {
  let text = "";
  let time = 0;
  return {
    screen: new Screen({ terminal, now: () => time, write: (more) => text += more }),
    text: () => text,
    pass: (ms: number) => time += ms,
  };
}

Deno.test("steps are numbered, text below them is indented, proofs end up in one table", () => {
  const { screen: s, text, pass } = screen(false);
  s.step("Join");
  s.say("one\ntwo");
  s.prove("it joins", true, "0.4 s");
  s.step("Fetch");
  s.prove("the file is whole", true);
  pass(12_345);
  assert.equal(s.summary(), true);
  assert.equal(
    text(),
    [
      "\n 1  Join\n    one\n    two\n    PASS  it joins  0.4 s\n",
      "\n 2  Fetch\n    PASS  the file is whole\n",
      "\nWhat was shown\nPASS  it joins           0.4 s\nPASS  the file is whole\n",
      "\n2 of 2 proofs hold, 12 s in all.\n",
    ].join(""),
  );
});

Deno.test("one failed proof, or none at all, is a failure", () => {
  const { screen: s, text } = screen(false);
  assert.equal(s.summary(), false);
  s.prove("good", true);
  s.prove("bad", false, "why");
  assert.equal(s.summary(), false);
  assert.match(text(), /FAIL {2}bad {3}why/);
});

Deno.test("without a terminal progress comes as lines and not too often, and there are no escapes", () => {
  const { screen: s, text, pass } = screen(false);
  for (let i = 0; i < 50; i++) {
    s.progress(`${i}`);
    pass(100);
  }
  s.prove("done", true);
  assert.equal(text(), "    ... 0\n    ... 20\n    ... 40\n    PASS  done\n");
});

Deno.test("on a terminal progress is one line that the next text replaces", () => {
  const { screen: s, text } = screen(true);
  s.progress("10 %");
  s.progress("20 %");
  s.say("done");
  const clearLine = "\r\x1b[2K";
  assert.equal(text().endsWith(`${clearLine}    done\n`), true);
  assert.equal(text().split(clearLine).length, 4);
});
