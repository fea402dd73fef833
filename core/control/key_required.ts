import { makeProblem, problemResponse } from "./problem.ts";

/** What somebody without a key is told, whatever he asked for. */
export function keyRequired(): Response {
  const problem = makeProblem(
    401,
    "API_KEY_REQUIRED",
    'This takes an API key, sent as "Authorization: Bearer plk_..."; make one with: pulse api-key create',
  );
  return problemResponse(problem, { "www-authenticate": 'Bearer realm="pulse"' });
}
