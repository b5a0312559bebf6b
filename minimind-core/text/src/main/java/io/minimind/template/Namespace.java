package io.minimind.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** The one value that a template can change: what {@code namespace()} makes. */
record Namespace(Map<String, Object> members) {

  Namespace() {
    this(new LinkedHashMap<>());
  }
}
