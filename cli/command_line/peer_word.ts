import type { ValueParser } from "@optique/core/valueparser";
import { closest } from "../../core/config/closest.ts";
import { commandNames } from "./command_names.ts";

/** True for a word that can only be an address: it has a dot, a colon or a port in it. */
export function looksLikePeer(word: string): boolean {
  return /[.:]/.test(word);
}

/** What is wrong with a word where a command or a peer was expected. */
export function unknownWord(word: string): string {
  const shown = JSON.stringify(word.slice(0, 60));
  if (commandNames.includes(word)) {
    return `${shown} is a command and comes first: pulse ${word} ...`;
  }
  const meant = closest(word, commandNames);
  return `unknown command ${shown}${
    meant === undefined ? "" : `; did you mean "pulse ${meant}"?`
  } (a peer is written host:port)`;
}

/** Peers of a node in the foreground, where a mistyped command must not become a host name. */
export const peerWord: ValueParser<"sync", string> = {
  mode: "sync",
  metavar: "PEER",
  placeholder: "relay.example.com:8443",
  parse: (word) =>
    looksLikePeer(word)
      ? { success: true, value: word }
      : { success: false, error: [{ type: "text", text: unknownWord(word) }] },
  format: (word) => word,
};
