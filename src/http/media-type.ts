/**
 * The media type that a `Content-Type` names, in lower case and without its parameters (RFC 9110 §8.3.1). No body that
 * is read here depends on a parameter: the bytes are UTF-8, whatever `charset` says.
 *
 * @returns an empty text where there is none
 */
export function mediaTypeOf(contentType: string | undefined): string {
  const [type = ''] = (contentType ?? '').split(';', 1);
  return type.trim().toLowerCase();
}
