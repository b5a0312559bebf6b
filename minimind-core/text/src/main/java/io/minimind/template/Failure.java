package io.minimind.template;

/** A problem whose place is not known where it is found; who evaluates an expression adds it. */
final class Failure extends RuntimeException {

  private static final long serialVersionUID = 1L;

  Failure(String message, Object... arguments) {
    super(arguments.length == 0 ? message : message.formatted(arguments), null, false, false);
  }
}
