/**
 * The resources of KServe, as far as a manifest of ours may use them: `pkg/apis/serving/v1alpha1/servingruntime_types.go`
 * and `v1beta1/inference_service.go`, `predictor.go`, `model.go` of KServe.
 */
import type { IObjectMeta } from '@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta';
import type { IContainer, IPodSpec } from 'kubernetes-models/v1';

type Protocol = 'v1' | 'v2' | 'grpc-v1' | 'grpc-v2';

/** A runtime of one namespace or of the cluster. */
export interface IServingRuntime {
  apiVersion: 'serving.kserve.io/v1alpha1';
  kind: 'ServingRuntime' | 'ClusterServingRuntime';
  metadata: IObjectMeta;
  spec: Pick<IPodSpec, 'volumes' | 'nodeSelector' | 'affinity' | 'tolerations' | 'imagePullSecrets' | 'hostIPC'> & {
    supportedModelFormats: { name: string; version?: string; autoSelect?: boolean; priority?: number }[];
    protocolVersions?: Protocol[];
    multiModel?: boolean;
    disabled?: boolean;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    containers: IContainer[];
  };
}

/** A service whose models a runtime serves. */
export interface IInferenceService {
  apiVersion: 'serving.kserve.io/v1beta1';
  kind: 'InferenceService';
  metadata: IObjectMeta;
  spec: {
    predictor: Omit<IPodSpec, 'containers'> & {
      minReplicas?: number;
      maxReplicas?: number;
      scaleTarget?: number;
      scaleMetric?: 'cpu' | 'memory' | 'concurrency' | 'rps';
      containerConcurrency?: number;
      /** Seconds for a request. */
      timeout?: number;
      canaryTrafficPercent?: number;
      model: Partial<IContainer> & {
        modelFormat: { name: string; version?: string };
        runtime?: string;
        protocolVersion?: Protocol;
        runtimeVersion?: string;
        storageUri?: string;
      };
    };
  };
}
