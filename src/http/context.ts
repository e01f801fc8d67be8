import type Koa from 'koa';

/** What every request carries. */
export interface RequestState {
  /** The caller's own `X-Request-Id` where it sent a usable one, else ours. */
  requestId: string;
  /** Where it comes from, as far as that can be believed; worked out when somebody asks. */
  source: () => string;
}

/** Our koa application, its context and its middleware. */
export type HttpApp = Koa<RequestState, object>;
export type HttpContext = Koa.ParameterizedContext<RequestState, object>;
/** Answers a request. */
export type HttpHandler = (ctx: HttpContext) => void | Promise<void>;
export type HttpMiddleware = Koa.Middleware<RequestState, object>;
