import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** Talking to a daemon went wrong, or a daemon cannot open its doors. */
export class ControlError extends PulseError {
  override readonly name = "ControlError";
  constructor(code: string, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}

/** Nobody answers on the control socket. */
export class NotRunningError extends ControlError {
  constructor(path: string, cause?: unknown) {
    super(
      "PULSE_NOT_RUNNING",
      `no pulse daemon answers at ${path}; start it with "pulse start ..." or point --data-dir to the right directory`,
      { path },
      cause,
    );
  }
}

/** Another daemon has the data directory. */
export class AlreadyRunningError extends ControlError {
  constructor(dataDir: string, pid: number | null) {
    super(
      "PULSE_ALREADY_RUNNING",
      `a pulse daemon is already running in ${dataDir}${
        pid === null ? "" : ` (pid ${pid})`
      }; stop it with "pulse stop --data-dir ${dataDir}" or use another --data-dir`,
      { dataDir, pid },
    );
  }
}
