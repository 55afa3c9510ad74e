// What the browser has to know of the task server.
import { settings } from "./settings";

export function taskServer() {
  const { mode, tasksUrl } = settings();
  return { base: mode === "direct" ? tasksUrl : "", byCookie: mode === "cookie" };
}
