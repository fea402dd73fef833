/** First words of the command line that are commands; anything else is a peer or a mistake. */
export const commandNames: readonly string[] = [
  "start",
  "stop",
  "status",
  "id",
  "cert",
  "join",
  "invite",
  "connect",
  "forward",
  "logs",
  "token",
  "ca",
  "permissions",
  "version",
  "completion",
  "help",
];
