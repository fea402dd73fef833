import { eventSchema, eventsSchema, maxPage } from "../../core/control/history_schema.ts";
import { ControlError } from "../../core/control/errors.ts";
import type { ControlClient } from "../../core/control/client.ts";
import type { HistoryEvent } from "../../core/history/types.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import type { EventsCommand } from "../command_line/command.ts";
import { withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { eventText } from "../render/event_text.ts";
import { parseSince } from "../since.ts";

/** What happened at the node, oldest first, and with `-f` what happens. One line each, with `--json` one of JSON. */
export async function events(command: EventsCommand, io: CliIo): Promise<number> {
  const filter = new URLSearchParams();
  if (command.type !== undefined) filter.set("type", command.type);
  if (command.node !== undefined) filter.set("node", command.node);
  const since = command.since === undefined ? undefined : parseSince(command.since, Date.now());
  const show = (event: HistoryEvent) =>
    io.stdout(`${command.json ? JSON.stringify(event) : eventText(event)}\n`);
  return await withClient(command, io, async (client) => {
    const past = await pastEvents(client, filter, since, command.lines);
    past.forEach(show);
    if (command.follow) {
      // Nothing of this kind has ever happened: then everything is new.
      const after = past.at(-1)?.id ?? (since === undefined ? 0 : undefined);
      await follow(client, filter, after, command, io, show);
    }
    return exitCode.ok;
  });
}

async function pastEvents(
  client: ControlClient,
  filter: URLSearchParams,
  since: string | undefined,
  count: number,
): Promise<HistoryEvent[]> {
  const found: HistoryEvent[] = [];
  const query = new URLSearchParams(filter);
  if (since !== undefined) query.set("since", since);
  while (found.length < count) {
    query.set("limit", String(Math.min(maxPage, count - found.length)));
    const page = eventsSchema.parse(await client.request("GET", `/api/events?${query}`));
    found.push(...page.events);
    if (page.next === null) break;
    query.set("cursor", page.next);
  }
  return found.reverse();
}

async function follow(
  client: ControlClient,
  filter: URLSearchParams,
  after: number | undefined,
  command: EventsCommand,
  io: CliIo,
  show: (event: HistoryEvent) => void,
): Promise<void> {
  const query = new URLSearchParams(filter);
  query.set("follow", "1");
  const signal = io.interrupted();
  for await (const { type, data } of client.follow(`/api/events?${query}`, { signal, after })) {
    if (type === "event") show(eventSchema.parse(JSON.parse(data)));
    else if (type === "lost") {
      io.stderr(`pulse: too slow, events were lost: ${escapeText(data)}\n`);
    }
  }
  if (signal.aborted) return;
  throw new ControlError(
    "CONTROL_CLOSED",
    "The node has ended the stream of events: it is stopping",
    {
      json: command.json,
    },
  );
}
