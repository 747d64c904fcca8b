import type { ToolAnnotations } from './annotations.js';

/** What is needed of a client to ask for its server's tools. */
export interface ToolLister {
  listTools(params?: { cursor?: string }): Promise<ToolPage>;
}

/** One page of a server's tools. */
export interface ToolPage {
  readonly tools: readonly { readonly name: string; readonly annotations?: ToolAnnotations }[];
  readonly nextCursor?: string | undefined;
}

/** What a server says of its tools, until it says that they have changed. */
export class ServerTools {
  readonly #client: ToolLister;
  #all: Promise<ReadonlyMap<string, ToolAnnotations>> | undefined = undefined;
  /** How often they have changed. */
  changes = 0;

  constructor(client: ToolLister) {
    this.#client = client;
  }

  /** Asks the server once, unless the user has just done it. */
  all(): Promise<ReadonlyMap<string, ToolAnnotations>> {
    if (this.#all !== undefined) return this.#all;
    const { changes } = this;
    const asked = this.#ask();
    this.#all = asked;
    const forget = (): void => {
      if (this.#all === asked) this.#all = undefined;
    };
    // What came while they changed may be of before.
    asked.then(() => this.changes !== changes && forget(), forget);
    return asked;
  }

  /** Takes what the user was told, where that was all. */
  told({ tools, nextCursor }: ToolPage): void {
    if (nextCursor === undefined) this.#all = Promise.resolve(annotationsOf(tools));
  }

  changed(): void {
    this.changes++;
    this.#all = undefined;
  }

  async #ask(): Promise<ReadonlyMap<string, ToolAnnotations>> {
    const tools: ToolPage['tools'][number][] = [];
    const seen = new Set<string>();
    let page = await this.#client.listTools();
    tools.push(...page.tools);
    // A server that names a page twice would be asked for ever.
    while (page.nextCursor !== undefined && !seen.has(page.nextCursor)) {
      seen.add(page.nextCursor);
      page = await this.#client.listTools({ cursor: page.nextCursor });
      tools.push(...page.tools);
    }
    return annotationsOf(tools);
  }
}

function annotationsOf(tools: ToolPage['tools']): ReadonlyMap<string, ToolAnnotations> {
  return new Map(tools.map(({ name, annotations = {} }) => [name, annotations]));
}
