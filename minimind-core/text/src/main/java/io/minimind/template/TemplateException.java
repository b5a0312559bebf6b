package io.minimind.template;

/**
 * A template that is malformed, or fails on what it is given. The message is a sentence that names
 * the template, the line and the column.
 */
public final class TemplateException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  TemplateException(String message) {
    super(message);
  }
}
