/** With it a daemon ends to be started again, with the configuration it had, by whoever started it. */
export const restartExitCode = 75;
