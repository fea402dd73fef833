/** Background work with an owner. @module */
export { TaskSet } from "./task_set.ts";
