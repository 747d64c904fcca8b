import type { RequestMethod } from '@nestjs/common';
import { AbstractHttpAdapter } from '@nestjs/core';

type Handler = (request: object, response: object, next: (error?: unknown) => void) => unknown;

/** What a controller is called with, and answers, where no HTTP server is. */
class RecordingAdapter extends AbstractHttpAdapter {
  readonly handlers = new Map<string, Handler>();
  readonly replies = new Map<object, (body: unknown) => void>();

  override get(...args: unknown[]): void {
    this.#add('GET', args);
  }
  override post(...args: unknown[]): void {
    this.#add('POST', args);
  }
  override reply(response: object, body: unknown): void {
    this.replies.get(response)?.(body);
  }

  #add(method: string, args: unknown[]): void {
    this.handlers.set(`${method} ${args[0] as string}`, args.at(-1) as Handler);
  }

  override initHttpServer(): void {
    this.setHttpServer({ once: () => undefined, removeListener: () => undefined });
  }
  override createMiddlewareFactory(_method: RequestMethod) {
    return () => undefined;
  }
  override getType(): string {
    return 'recording';
  }
  override applyVersionFilter(handler: never) {
    return () => handler;
  }
  override async close(): Promise<void> {}
  override useStaticAssets(): void {}
  override setViewEngine(): void {}
  override getRequestHostname(): void {}
  override getRequestMethod(): void {}
  override getRequestUrl(): void {}
  override status(): void {}
  override render(): void {}
  override redirect(): void {}
  override setErrorHandler(): void {}
  override setNotFoundHandler(): void {}
  override isHeadersSent(): void {}
  override getHeader(): void {}
  override setHeader(): void {}
  override appendHeader(): void {}
  override registerParserMiddleware(): void {}
  override enableCors(): void {}
  override end(): void {}
}

/** Stands for the HTTP server of a Nest application: keeps its routes, and sends them requests. */
export function recordingAdapter() {
  const adapter = new RecordingAdapter({});
  return {
    adapter,
    /** Every route that Nest has registered, with its method. */
    routes: () => [...adapter.handlers.keys()],
    /** Sends a request to a route, and hands on the body of the reply. */
    request(route: string, params: Record<string, string>): Promise<unknown> {
      return new Promise((resolve, reject) => {
        const response = {};
        adapter.replies.set(response, resolve);
        const handler = adapter.handlers.get(route);
        if (handler === undefined) throw new Error(`no route ${route}`);
        handler({ params }, response, reject);
      });
    },
  };
}
