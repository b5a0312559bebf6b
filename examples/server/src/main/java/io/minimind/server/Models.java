package io.minimind.server;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The models that are served, by name. */
final class Models {
  private final Map<String, ServedModel> byName = new LinkedHashMap<>();

  Models(Collection<ServedModel> models) {
    models.forEach(model -> byName.put(model.name(), model));
  }

  Collection<ServedModel> all() {
    return byName.values();
  }

  /**
   * @param name without one, it is the only model there is
   * @throws ApiError if there is no such model
   */
  ServedModel find(Optional<String> name) {
    if (name.isEmpty() && byName.size() == 1) {
      return byName.values().iterator().next();
    }
    String wanted =
        name.orElseThrow(
            () ->
                ApiError.invalid("model", "The field model is missing; it names one of several."));
    ServedModel found = byName.get(wanted);
    if (found == null && wanted.endsWith(":latest")) { // as Ollama's clients say
      found = byName.get(wanted.substring(0, wanted.length() - ":latest".length()));
    }
    if (found == null) {
      throw ApiError.unknownModel(wanted);
    }
    return found;
  }
}
