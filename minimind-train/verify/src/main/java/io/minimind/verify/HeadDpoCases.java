package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.chat.ChatTemplate;
import io.minimind.data.Batch;
import io.minimind.data.ChatEncoder;
import io.minimind.data.ChatEncoder.Encoded;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.Conversation;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.preference.PreferenceObjective;
import io.minimind.preference.PreferenceObjective.Variant;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Preferences between whole conversations, of MiniMind's third version, repeated. */
final class HeadDpoCases {

  private static final String NAME = "head_dpo";
  private static final double LIMIT = 2e-4;

  private record Reference(
      JsonNode config,
      String weights,
      double beta,
      String optimizer,
      float gradClip,
      int maxLength,
      int pairsPerStep,
      Map<String, Double> weightNormsAfter,
      List<Pair> pairs,
      List<Step> steps) {}

  /**
   * @param emptyThink whether empty thoughts are {@code kept} or {@code dropped}
   * @param xChosen all ids but the last, padded, as the others
   * @param yChosen all ids but the first
   * @param maskChosen 1 where {@code yChosen} counts
   */
  private record Pair(
      String emptyThink,
      JsonNode chosen,
      JsonNode rejected,
      int[] xChosen,
      int[] yChosen,
      int[] maskChosen,
      int[] xRejected,
      int[] yRejected,
      int[] maskRejected) {

    List<Sample> samples() {
      return List.of(
          sample(xChosen, yChosen, maskChosen), sample(xRejected, yRejected, maskRejected));
    }

    private static Sample sample(int[] inputs, int[] labels, int[] mask) {
      int[] ids = new int[inputs.length + 1];
      ids[0] = inputs[0];
      System.arraycopy(labels, 0, ids, 1, labels.length);
      BitSet targets = new BitSet();
      IntStream.range(0, mask.length).filter(i -> mask[i] != 0).forEach(i -> targets.set(i + 1));
      return new Sample(ids, targets);
    }
  }

  private record Step(
      double[] policyChosenLogps,
      double[] policyRejectedLogps,
      double[] referenceChosenLogps,
      double[] referenceRejectedLogps,
      double loss,
      float learningRate,
      double gradNormBeforeClip) {}

  private HeadDpoCases() {}

  /**
   * @param tokenizer the folder of the tokenizer
   * @param device to train on
   * @throws IOException if the references are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, Path tokenizer, Device device) throws IOException {
    Reference reference = golden.read(NAME, Reference.class);
    List<Case> cases = new ArrayList<>(List.of(encoded(reference, tokenizer)));
    ModelConfig config = HeadConfig.of(reference.config());
    PreferenceObjective objective = new PreferenceObjective(reference.beta(), 0, Variant.SIGMOID);
    try (ModelInTraining session =
        ModelInTraining.builder(
                new TrainingArtifacts(config, objective)
                    .with(TrainingPrecision.FLOAT32, device.target()))
            .weights(HeadReference.parameters(golden, reference.weights(), config))
            .optimizer(HeadReference.optimizerSettings(reference.optimizer(), reference.gradClip()))
            .device(device)
            .threads(1)
            .openOne()) {
      cases.addAll(steps(reference, config, session, device));
    }
    return cases;
  }

  /** The ids that are not padding, and which of them count, where the original reads them. */
  private static Case encoded(Reference reference, Path tokenizer) throws IOException {
    Tokenizer tokens = Tokenizer.load(tokenizer);
    ChatTemplate template = ChatTemplate.load(tokenizer);
    ChatEncoder encoder =
        ChatEncoder.of(tokens, template, "", reference.maxLength(), Loss.ALL_TURNS);
    Mismatches mismatches = new Mismatches();
    for (int i = 0; i < reference.pairs().size(); i++) {
      Pair pair = reference.pairs().get(i);
      boolean dropped = pair.emptyThink().equals("dropped");
      List<JsonNode> sides = List.of(pair.chosen(), pair.rejected());
      for (int side = 0; side < 2; side++) {
        Conversation conversation = Conversation.whole(sides.get(side), "its message");
        Encoded found = encoder.encode(conversation, dropped);
        boolean misread =
            dropped && HeadTextCases.writesEmptyThinking(conversation)
                || HeadTextCases.isMisread(conversation, found, tokens);
        mismatches.add(
            "%s conversation of pair %d".formatted(side == 0 ? "chosen" : "rejected", i),
            misread || isPadded(found.sample(), pair.samples().get(side)));
      }
    }
    return mismatches.as(NAME + " conversations");
  }

  private static boolean isPadded(Sample found, Sample expected) {
    int[] ids = found.ids();
    for (int i = 0; i < expected.ids().length; i++) {
      if (expected.ids()[i] != (i < ids.length ? ids[i] : 0)) {
        return false;
      }
    }
    return ids.length <= expected.ids().length && found.targets().equals(expected.targets());
  }

  private static List<Case> steps(
      Reference reference, ModelConfig config, ModelInTraining session, Device device)
      throws IOException {
    Worst policies = new Worst();
    Worst references = new Worst();
    Worst losses = new Worst();
    Worst norms = new Worst();
    List<float[]> before = new ArrayList<>();
    for (int i = 0; i < reference.steps().size(); i++) {
      Step step = reference.steps().get(i);
      before.add(logProbabilities(session, reference, i, new float[2 * reference.pairsPerStep()]));
      double[] chosen = step.referenceChosenLogps();
      PreferenceCases.compare(references, i, before.get(i), chosen, step.referenceRejectedLogps());
    }
    for (int i = 0; i < reference.steps().size(); i++) {
      Step step = reference.steps().get(i);
      float[] found = logProbabilities(session, reference, i, before.get(i));
      PreferenceCases.compare(
          policies, i, found, step.policyChosenLogps(), step.policyRejectedLogps());
      session.resetGradients();
      try (Batch batch = batch(reference, i, before.get(i))) {
        ModelInTraining.Step trained = session.trainStep(batch, 1, reference.gradClip());
        losses.add("step " + i, Math.abs(trained.loss() - step.loss()));
        double norm = step.gradNormBeforeClip();
        norms.add("step " + i, Math.abs(trained.gradientNorm() - norm) / Math.max(1, norm));
      }
      session.optimizerStep(step.learningRate());
    }
    return List.of(
        references.against(NAME + " reference log-probabilities", LIMIT, device),
        policies.against(NAME + " policy log-probabilities", LIMIT, device),
        losses.against(NAME + " losses", LIMIT, device),
        norms.against(NAME + " gradient norms", WeightNorms.LIMIT, device),
        WeightNorms.of(session, config, reference.weightNormsAfter())
            .against(NAME + " weight norms", WeightNorms.LIMIT, device));
  }

  private static Batch batch(Reference reference, int step, float[] before) throws IOException {
    List<Sample> rows = new ArrayList<>();
    int first = step * reference.pairsPerStep();
    for (Pair pair : reference.pairs().subList(first, first + reference.pairsPerStep())) {
      for (Sample sample : pair.samples()) {
        rows.add(sample.with(PreferenceObjective.REFERENCE.name(), before[rows.size()]));
      }
    }
    Samples samples = Samples.of(rows, 2, List.of(PreferenceObjective.REFERENCE));
    return Batch.of(samples, IntStream.range(0, rows.size()).asLongStream().toArray());
  }

  private static float[] logProbabilities(
      ModelInTraining session, Reference reference, int step, float[] before) throws IOException {
    try (Batch batch = batch(reference, step, before)) {
      return session.evaluate(batch, PreferenceObjective.LOG_PROBABILITIES);
    }
  }
}
