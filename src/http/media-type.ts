/**
 * The media type of a `Content-Type`, in lower case and without its parameters (RFC 9110 §8.3.1). Parameters are
 * ignored: every body is read as UTF-8, whatever `charset` says.
 *
 * @returns an empty text without a media type
 */
export function mediaTypeOf(contentType: string | undefined): string {
  const [type = ''] = (contentType ?? '').split(';', 1);
  return type.trim().toLowerCase();
}
