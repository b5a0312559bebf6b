package io.minimind.server;

/** What a path answers. */
interface Endpoint {
  /**
   * Answers now or later.
   *
   * @param body of the request; no fields for a request without one
   * @throws ApiError if the request is refused
   */
  void answer(Exchange exchange, Fields body);
}
