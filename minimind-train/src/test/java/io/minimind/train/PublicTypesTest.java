package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Which types of this module are public, and for what people need them. One more is one more to
 * learn, to document and to keep: it belongs into this list with a reason, or is not public.
 */
class PublicTypesTest {

  private static final String ROOT = "io.minimind.";

  /** After a colon what people need for that. */
  private static final String PUBLIC =
      """
      to train: train.TrainingRun train.RunBuilder train.RunSettings train.TrainingSettings
      to hear of it: train.TrainingListener train.TrainingState
      to take a model from it: train.TrainedModel
      rows of their own: data.Rows data.RowReader data.Row data.MalformedRowException
      a task of their own: task.Task train.Catalog data.SampleEncoder data.Sample data.Samples
      a schedule of their own: train.LearningRateSchedule
      where it computes: runtime.Device runtime.OnnxRuntimeException

      how a device is used: runtime.KernelSet
      several processes: distributed.Membership distributed.ProcessGroup distributed.Wire
      texts: task.Pretraining data.PretrainingEncoder
      conversations: task.FineTuning data.ChatEncoder data.Conversation data.Variation
      batches that depend on the weights: task.BatchSource task.Batching data.Batch
      to ask the weights: runtime.ModelInTraining runtime.SharedWeights runtime.LiveModel
      a loop of their own: runtime.ModelBuilder
      batches for it: data.TokenShards data.EncodingProgress data.BatchOrder data.BatchLoader
      what is known of samples beforehand: task.Preparation task.FrozenModel
      preferences: preference.PreferenceTuning preference.PreferenceObjective
      single answers: preference.KahnemanTverskyOptimization preference.KahnemanTverskyObjective
      what an answer is worth: preference.RewardModeling preference.RewardModel
      a teacher: distillation.Distillation distillation.DistillationObjective
      answers of a teacher: distillation.TeacherAnswers
      rewards: policy.GroupPolicyOptimization policy.PolicyObjective policy.RolloutSettings
      rewards of their own: policy.Reward policy.Answer
      a critic: policy.ProximalPolicyOptimization policy.ActorCriticObjective
      tools: agent.AgentTool agent.ToolBox agent.PythonJson policy.ToolCases
      data sets of a hub: data.hub.DatasetHub data.hub.DatasetDownload
      to look at data and prepare it: data.CorpusStatistics data.CorpusTexts data.CorpusPreparation
      to publish: publish.PublishedModel publish.Publication train.TrainingHistory
      to compare with reference numbers: verify.Verification verify.Case
      """;

  private static Set<String> types(boolean areThosePublic) throws IOException, URISyntaxException {
    Path classes =
        Path.of(TrainingRun.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.walk(classes)) {
      return files
          .map(file -> classes.relativize(file).toString().replace('\\', '/'))
          .filter(file -> file.matches("[^$-]*\\.class"))
          .map(file -> file.replace(".class", "").replace('/', '.'))
          .filter(name -> Modifier.isPublic(load(name).getModifiers()) == areThosePublic)
          .map(name -> name.substring(ROOT.length()))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, PublicTypesTest.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void thePublicTypesAreThese() throws Exception {
    Set<String> listed =
        Pattern.compile("[a-z.]+\\.[A-Z]\\w+")
            .matcher(PUBLIC)
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(listed, types(true));
  }

  @Test
  void noneOfThemSpeaksOfOneThatIsHidden() throws Exception {
    Set<String> hidden = types(false);
    assertTrue(hidden.contains("train.Trainer"), hidden::toString);
    Set<String> spoken = new TreeSet<>();
    for (String type : types(true)) {
      signatures(load(ROOT + type))
          .filter(signature -> hidden.stream().anyMatch(name -> names(signature, name)))
          .forEach(spoken::add);
    }
    assertEquals(Set.of(), spoken);
  }

  private static boolean names(String signature, String type) {
    return Pattern.compile("\\b" + Pattern.quote(ROOT + type) + "\\b").matcher(signature).find();
  }

  private static Stream<String> signatures(Class<?> type) {
    Stream<String> own =
        Stream.<Member[]>of(
                type.getDeclaredConstructors(), type.getDeclaredMethods(), type.getDeclaredFields())
            .flatMap(Stream::of)
            .filter(member -> (member.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0)
            .map(
                member ->
                    member instanceof Executable executable
                        ? executable.toGenericString()
                        : ((Field) member).toGenericString());
    Stream<String> nested =
        Stream.of(type.getDeclaredClasses())
            .filter(inner -> Modifier.isPublic(inner.getModifiers()))
            .flatMap(PublicTypesTest::signatures);
    return Stream.concat(own, nested);
  }
}
