// @ts-check
/** Where the image model looked: the address of a scan's picture. */

/**
 * The address, or "" where there is no scan.
 *
 * @param {string} session
 * @param {string | null | undefined} scan SHA-256
 */
export function pictureOf(session, scan) {
  return scan ? `/api/v1/sessions/${encodeURIComponent(session)}/scans/${encodeURIComponent(scan)}/attention.png` : "";
}
