/** An answer of the control API. */
export interface ApiAnswer {
  readonly status: number;
  /** Parsed when it is JSON, else text; null when empty. */
  readonly body: unknown;
}

/** HTTP over a unix socket, independent of the product's own client, so that tests see what really is on the wire. */
export class UnixHttp implements Disposable {
  readonly #client: Deno.HttpClient;

  constructor(path: string) {
    this.#client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  }

  /** One request; every status is an answer. @throws {Error} nobody listens, or `signal` */
  async request(
    method: string,
    path: string,
    { body, headers, signal }: {
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<ApiAnswer> {
    const response = await fetch(`http://localhost${path}`, {
      client: this.#client,
      method,
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    });
    const text = await response.text();
    const json = /\bjson\b/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, body: text === "" ? null : json ? JSON.parse(text) : text };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
