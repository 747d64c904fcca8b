/**
 * Sends a request, and resolves with the answer.
 *
 * @throws Error with what the server says, when it does not answer with success
 */
export async function sendJson<Answer>(
  method: string,
  url: string,
  content?: unknown,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(content !== undefined && { body: JSON.stringify(content) }),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
