{{- define "spanledger.labels" -}}
app.kubernetes.io/name: spanledger
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "spanledger.selector" -}}
app.kubernetes.io/name: spanledger
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "spanledger.pod" -}}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "spanledger.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "spanledger.probes" -}}
startupProbe: {httpGet: {path: /, port: health}, periodSeconds: 2, failureThreshold: 30}
readinessProbe: {httpGet: {path: /, port: health}, periodSeconds: 5}
livenessProbe: {httpGet: {path: /, port: health}, periodSeconds: 10, failureThreshold: 6}
{{- end }}

{{- define "spanledger.clickhouse" -}}
{{- if .Values.clickhouse.endpoint -}}{{ .Values.clickhouse.endpoint }}
{{- else if .Values.clickhouse.operator.enabled -}}http://clickhouse-{{ .Release.Name }}:8123
{{- else -}}{{ fail "Say where ClickHouse is: --set clickhouse.endpoint=tcp://host:9440?secure=true, or clickhouse.operator.enabled=true" }}
{{- end -}}
{{- end }}
