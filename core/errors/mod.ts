/** Typed errors: one base class, stable codes. @module */
export { errorCode, type ErrorFields, errorText, PulseError } from "./pulse_error.ts";
