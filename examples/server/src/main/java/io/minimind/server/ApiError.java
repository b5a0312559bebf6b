package io.minimind.server;

import java.util.OptionalInt;

/** What a client is told instead of an answer; the message is a sentence for people. */
final class ApiError extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final String type;
  private final String code; // empty: none
  private final String field; // empty: none
  private final int retryAfter; // seconds; 0: none

  private ApiError(
      int status, String type, String code, String field, int retryAfter, String message) {
    super(message, null, false, false);
    this.status = status;
    this.type = type;
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }

  /** The request cannot be understood or met. */
  static ApiError invalid(String message) {
    return invalid("", message);
  }

  /**
   * @param field the field of the request that is wrong
   */
  static ApiError invalid(String field, String message) {
    return new ApiError(400, "invalid_request_error", "", field, 0, message);
  }

  /** The conversation has too many tokens. */
  static ApiError tooLong(String message) {
    return new ApiError(
        400, "invalid_request_error", "context_length_exceeded", "messages", 0, message);
  }

  static ApiError unauthorized() {
    return new ApiError(
        401,
        "authentication_error",
        "invalid_api_key",
        "",
        0,
        "The API key is missing or wrong; send it as the header Authorization: Bearer KEY.");
  }

  static ApiError forbidden(String message) {
    return new ApiError(403, "permission_error", "", "", 0, message);
  }

  static ApiError unknownModel(String name) {
    return new ApiError(
        404,
        "invalid_request_error",
        "model_not_found",
        "model",
        0,
        "There is no model named "
            + Text.quote(name)
            + " here; GET /v1/models lists those there are.");
  }

  static ApiError unknownPath(String path) {
    return new ApiError(
        404,
        "invalid_request_error",
        "unknown_url",
        "",
        0,
        "There is nothing at " + Text.quote(path) + ".");
  }

  static ApiError wrongMethod(String method, String path, String allowed) {
    return new ApiError(
        405,
        "invalid_request_error",
        "",
        "",
        0,
        "%s does not take %s but %s.".formatted(path, Text.quote(method), allowed));
  }

  /** The body did not arrive in time. */
  static ApiError tooSlow() {
    return new ApiError(
        408, "invalid_request_error", "", "", 0, "The body of the request did not arrive in time.");
  }

  static ApiError tooLarge(long most) {
    return new ApiError(
        413,
        "invalid_request_error",
        "request_too_large",
        "",
        0,
        "The body of the request has more than the %d bytes that are taken here.".formatted(most));
  }

  /**
   * @param retryAfter seconds, at least 1
   */
  static ApiError busy(int retryAfter) {
    return new ApiError(
        429,
        "rate_limit_error",
        "server_busy",
        "",
        retryAfter,
        "All places are taken and the queue is full; ask again in %d s.".formatted(retryAfter));
  }

  /** The model failed. */
  static ApiError failed(String message) {
    return new ApiError(500, "server_error", "", "", 0, message);
  }

  /** The server is being shut down. */
  static ApiError closing() {
    return new ApiError(503, "server_error", "", "", 1, "The server is shutting down.");
  }

  int status() {
    return status;
  }

  String type() {
    return type;
  }

  String code() {
    return code;
  }

  String field() {
    return field;
  }

  OptionalInt retryAfter() {
    return retryAfter == 0 ? OptionalInt.empty() : OptionalInt.of(retryAfter);
  }
}
