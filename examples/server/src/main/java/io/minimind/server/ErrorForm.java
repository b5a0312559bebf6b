package io.minimind.server;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** How a dialect writes an error. */
enum ErrorForm {
  OPENAI {
    @Override
    ObjectNode body(ApiError error) {
      ObjectNode body = Json.object();
      ObjectNode inner = body.putObject("error").put("message", error.getMessage());
      inner.put("type", error.type());
      inner.put("param", error.field().isEmpty() ? null : error.field());
      inner.put("code", error.code().isEmpty() ? null : error.code());
      return body;
    }
  },
  OLLAMA {
    @Override
    ObjectNode body(ApiError error) {
      return Json.object().put("error", error.getMessage());
    }
  },
  ANTHROPIC {
    @Override
    ObjectNode body(ApiError error) {
      String type =
          switch (error.status()) {
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 500 -> "api_error";
            case 503 -> "overloaded_error";
            default -> error.type();
          };
      ObjectNode body = Json.object().put("type", "error");
      body.putObject("error").put("type", type).put("message", error.getMessage());
      return body;
    }
  };

  abstract ObjectNode body(ApiError error);
}
