package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.model.InitialLaw.Normal;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The sizes of MiniMind's third version and the laws of its start weights. */
final class HeadStartCases {

  private static final String NAME = "head_init";

  /** Standard errors of a deviation that was estimated from a tensor. */
  private static final double ERRORS_LIMIT = 5;

  private record Reference(List<Model> models) {}

  private record Model(String name, JsonNode config, long parameters, List<Drawn> tensors) {}

  /**
   * @param name as the original has it
   */
  private record Drawn(String name, long[] shape, double mean, double std) {}

  private HeadStartCases() {}

  /**
   * @throws IOException if the reference is missing or damaged
   */
  static List<Case> of(GoldenFolder golden) throws IOException {
    List<Case> cases = new ArrayList<>();
    for (Model model : golden.read(NAME, Reference.class).models) {
      ModelConfig config = HeadConfig.of(model.config);
      Worst count = new Worst();
      count.add("all", Math.abs(config.parameterCount() - model.parameters));
      cases.add(count.against("%s %s parameters".formatted(NAME, model.name), 0));
      cases.add(laws(model, config));
    }
    return cases;
  }

  private static Case laws(Model model, ModelConfig config) {
    Map<String, Parameter> declared = new HashMap<>();
    new Parameters(config)
        .all()
        .forEach(each -> declared.put(TensorNames.TRANSFORMERS.of(each), each));
    Worst worst = new Worst();
    for (Drawn drawn : model.tensors) {
      Parameter parameter = declared.remove(drawn.name);
      worst.add(drawn.name, parameter == null ? Double.NaN : errors(drawn, parameter));
    }
    declared.keySet().forEach(name -> worst.add(name, Double.NaN));
    return worst.against("%s %s deviations".formatted(NAME, model.name), ERRORS_LIMIT);
  }

  private static double errors(Drawn drawn, Parameter parameter) {
    if (parameter.initial() instanceof Normal normal) {
      double count = parameter.shape().elements().extent();
      return Math.abs(drawn.std / normal.deviation() - 1) * Math.sqrt(2 * count);
    }
    double norm = Math.abs(drawn.mean - 1) + drawn.std;
    return norm == 0 ? 0 : Double.NaN;
  }
}
