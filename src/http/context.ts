import type Koa from 'koa';
import type { PresentedCertificate } from '../domain/certificates/client-certificate.ts';

/** The state of a request. */
export interface RequestState {
  /** The `X-Request-Id` of the caller if it is usable, else an id that this server generated. */
  requestId: string;
  /** Finds the source address of the request, as far as it can be trusted. */
  source: () => string;
  /** Finds the certificate that the client has presented, as far as it can be trusted. */
  certificate: () => PresentedCertificate;
}

/** The types of a koa application whose requests have a {@link RequestState}. */
export type HttpApp = Koa<RequestState, object>;
export type HttpContext = Koa.ParameterizedContext<RequestState, object>;
/** Answers a request. */
export type HttpHandler = (ctx: HttpContext) => void | Promise<void>;
export type HttpMiddleware = Koa.Middleware<RequestState, object>;
